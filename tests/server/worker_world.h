// What a worker under test is made of: a virtual clock, a network that never answers, a store, and one
// engine.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cache/arena_store.h"
#include "cache/mutex_store.h"
#include "server/query_builder.h"
#include "server/worker.h"

namespace peregrine::testing {

// Ports open, and nothing ever comes back.
class SilentNetwork final : public Network {
 public:
  struct Port final : UdpPort {
    Port(uint16_t n, unsigned& s) : number_(n), sent(s) {}
    uint16_t number() const override { return number_; }
    Result<> send(const Endpoint&, Bytes) override { return ++sent, Result<>(); }
    uint16_t number_;
    unsigned& sent;
  };
  Result<std::unique_ptr<UdpPort>> open_udp(Family, uint16_t number, DatagramHandler&) override {
    return std::make_unique<Port>(number, sent);
  }
  Task<Result<std::unique_ptr<Stream>>> connect(const Endpoint&, Instant) override {
    co_return std::unexpected(Error::unreachable);
  }
  unsigned sent = 0;
};

inline Config load(const std::string& text) {
  LoadedConfig loaded =
      load_config({.file_name = "test", .file_text = text, .unreadable = {}, .environment = {}, .set = {}});
  for (const auto& error : loaded.errors) ADD_FAILURE() << error.to_string();
  return loaded.config;
}

// One TXT or A record and its question: what an upstream would have answered.
struct CachedAnswer {
  std::string_view qname;
  Type qtype = Type::a;
  std::vector<uint8_t> rdata{192, 0, 2, 7};
  uint32_t ttl = 60;
  unsigned records = 1;  // differing in the last octet
  Rcode rcode = Rcode::noerror;
  bool dnssec_ok = false, checking_disabled = false;
};

struct WorldOptions {
  std::string config = "[[forward]]\nzone = \".\"\nservers = [\"192.0.2.53\"]\n";
  bool zero_copy_parsing = true;
  bool cookies = true;
  unsigned batch = 32;
};

template <Store S = MutexStore>
class WorkerWorld {
 public:
  explicit WorkerWorld(const WorldOptions& options = {})
      : timers(clock.now()),
        worker(
            World{clock, timers, network, random, counters, latency, hash_secret, options.zero_copy_parsing},
            store, snapshot(options), {}) {
    worker.add(MemoryEngine({.batch = options.batch}, counters));
  }

  static Snapshot snapshot(const WorldOptions& options) {
    Snapshot made = make_snapshot(load(options.config), {});
    if (options.cookies) made.cookies = std::make_shared<const CookieSecrets>(HashKey{3, 4}, HashKey{5, 6});
    return made;
  }

  void cache(const CachedAnswer& answer, uint32_t generation = 1) {
    std::vector<uint8_t> buffer(65'535), scratch(max_blob);
    MessageWriter writer(buffer);
    const DnameBuf owner = DnameBuf::from_text(answer.qname).value();
    writer.rcode(answer.rcode);
    writer.question(owner, answer.qtype, Class::in);
    std::vector<uint8_t> rdata = answer.rdata;
    for (unsigned i = 0; i < answer.records; ++i, ++rdata.back()) {
      ASSERT_TRUE(writer.rr(Section::answer, owner, answer.qtype, Class::in, answer.ttl, rdata));
    }
    const AnswerKey key({.qname = owner,
                         .qtype = answer.qtype,
                         .dnssec_ok = answer.dnssec_ok,
                         .checking_disabled = answer.checking_disabled},
                        hash_secret);
    AnswerCache<S> answers(store);
    ASSERT_TRUE(answers.put(key, MessageView::parse(writer.message()).value(), clock.wall(), generation, {},
                            scratch));
  }

  // Replies to what `client` sends in one batch.
  std::vector<std::vector<uint8_t>> ask(const std::vector<std::vector<uint8_t>>& batch,
                                        const char* client = "127.0.0.1:4000") {
    for (const auto& octets : batch) {
      worker.engine(0).deliver(PeerAddress(Endpoint::parse(client, 0).value()), octets);
    }
    worker.serve(0);
    return replies();
  }
  std::vector<std::vector<uint8_t>> replies() {
    worker.flush();
    std::vector<std::vector<uint8_t>> all;
    for (auto& sent : worker.engine(0).take_sent()) all.push_back(std::move(sent.octets));
    return all;
  }

  VirtualClock clock;
  Timers timers;
  SilentNetwork network;
  Random random = Random::from_seed(1);
  Counters counters;
  Histogram latency;
  HashSecret hash_secret{HashKey{1, 2}};
  S store{4 << 20};
  Worker<MemoryEngine, S> worker;
};

}  // namespace peregrine::testing
