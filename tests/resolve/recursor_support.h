// A recursor on the virtual clock, and a small Internet below a root of one server: com. and net. at
// 192.5.6.30, example.com. at 203.0.113.1 and 203.0.113.2.
#pragma once

#include <gtest/gtest.h>

#include "cache/mutex_store.h"
#include "resolve/internet.h"
#include "resolve/recursor.h"
#include "resolve/store_knowledge.h"

namespace peregrine {

inline const std::string soa = "@ 3600 SOA ns hostmaster 1 7200 900 1209600 300";

class RecursorTest : public testing::Test {
 protected:
  RecursorTest() {
    auto made = std::make_shared<RecursionTable>();
    made->options.query_private = true;
    made->root.servers = {{name("a.root."), {endpoint("198.41.0.4").address}}};
    table = made;
    internet.zone(
        ".", {"198.41.0.4"},
        {". 518400 SOA a.root. host. 1 2 3 4 86400", ". 518400 NS a.root.", "a.root. 518400 A 198.41.0.4",
         "com. 172800 NS a.gtld.com.", "a.gtld.com. 172800 A 192.5.6.30", "net. 172800 NS a.gtld.com."});
    internet.zone("com.", {"192.5.6.30"},
                  {soa, "@ 172800 NS a.gtld", "a.gtld 172800 A 192.5.6.30", "example 172800 NS ns1.example",
                   "example 172800 NS ns2.example", "ns1.example 172800 A 203.0.113.1",
                   "ns2.example 172800 A 203.0.113.2"});
    internet.zone("net.", {"192.5.6.30"},
                  {soa, "@ 172800 NS a.gtld.com.", "other 172800 NS ns1.example.com."});
    internet.zone("example.com.", {"203.0.113.1", "203.0.113.2"},
                  {soa, "@ 3600 NS ns1", "@ 3600 NS ns2", "ns1 3600 A 203.0.113.1", "ns2 3600 A 203.0.113.2",
                   "www 300 A 192.0.2.80", "alias 300 CNAME www", "away 300 CNAME www.other.net.",
                   "a.b.deep 300 A 192.0.2.81", "*.wild 300 A 192.0.2.82", "old 300 DNAME new",
                   "x.new 300 A 192.0.2.83", "loop1 300 CNAME loop2", "loop2 300 CNAME loop1"});
    internet.zone("other.net.", {"203.0.113.1"}, {soa, "@ 3600 NS ns1.example.com.", "www 300 A 192.0.2.90"});
  }

  Resolution resolve(std::string_view qname, Type qtype = Type::a) {
    auto result = run(world.network,
                      recursor.resolve({.qname = name(qname), .qtype = qtype}, table, forwards, {}, trace));
    return result ? std::move(*result) : throw std::logic_error("no result");
  }
  std::vector<std::string> answer(std::string_view qname, Type qtype = Type::a) {
    const Resolution resolution = resolve(qname, qtype);
    EXPECT_EQ(resolution.rcode, Rcode::noerror) << resolution.ede_text;
    return resolution.message.empty() ? std::vector<std::string>{} : answer_of(resolution.message);
  }
  // Some queries may be under way still.
  void TearDown() override { world.network.run(); }

  // Changes the options that the next resolutions go by.
  RecursionOptions& options() {
    auto made = std::make_shared<RecursionTable>(*table);
    table = made;
    return made->options;
  }
  void pass(Duration time) { world.network.run_for(time); }

  TestWorld world;
  Internet internet{world.network};
  MutexStore store{16 << 20};
  MutexStore::Reader reader{store};
  HashSecret secret{HashKey{1, 2}};
  StoreKnowledge<MutexStore> knowledge{store, reader, world.clock, secret, nullptr};
  Upstreams upstreams{world.clock, world.random};
  Forwarder forwarder{world.exchange, upstreams, world.clock};
  Recursor recursor{{world.exchange, upstreams, world.clock}, knowledge, forwarder};
  std::shared_ptr<const RecursionTable> table;
  std::shared_ptr<const ForwardTable> forwards =
      std::make_shared<ForwardTable>(std::vector<ForwardTable::Zone>{});
  std::shared_ptr<Trace> trace;
};

}  // namespace peregrine
