// One run of the recursive resolver: a tree of zones from a seed, questions, and what each must be answered.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cache/mutex_store.h"
#include "resolve/recursor.h"
#include "resolve/store_knowledge.h"
#include "sim/recursion_oracle.h"
#include "sim/recursion_servers.h"

namespace peregrine::sim {

// What goes wrong beside servers that are of no use while another one is.
enum class Going : uint8_t {
  calm,   // every question must be answered
  rain,   // packets are lost
  storm,  // and zones have no server that is well
};

struct RecursionReport {
  std::optional<std::string> wrong;  // the first thing
  uint64_t trace_hash = 0;
  Going going = Going::calm;
  uint64_t answers = 0, denials = 0, failures = 0, from_cache = 0, changes = 0, over_tcp = 0;
  uint64_t spent = 0;         // failures in calm because the budget was too small
  unsigned most_packets = 0;  // for one question
  RecursionServers::Tally servers{};
};

class RecursionSim {
 public:
  explicit RecursionSim(uint64_t seed, bool verbose = false);
  RecursionReport run();

 private:
  struct Plan {
    Going going;
    TreePlan tree;
    LinkFaults faults;
    RecursionOptions options;
    unsigned rounds;
  };
  struct Asked {
    std::string name;
    Type type;
    DnameBuf qname;
    Instant at{};
    std::optional<Resolution> result{};
    Instant ended{};
  };

  static Plan make_plan(Dice& dice);
  std::shared_ptr<const RecursionTable> make_table() const;
  Asked some_question();
  static Task<void> ask(RecursionSim* sim, std::shared_ptr<Asked> asked);
  void ask_some();
  void run_until_rest();
  void pass(Duration time);
  void maybe_change();
  bool is_settled(const Walk& truth, const std::string& name) const;
  void judge(const Asked& asked);
  std::string judge_answer(const Asked& asked, const MessageView& reply, const Walk& truth) const;
  std::string judge_denial(const MessageView& reply, const Walk& truth) const;
  void check_cache();

  Dice dice_;
  Plan plan_;
  Stage stage_;
  Tree tree_;
  RecursionServers servers_;
  Random random_;
  Counters counters_;
  Exchange exchange_;
  MutexStore store_;
  MutexStore::Reader reader_;
  HashSecret secret_;
  StoreKnowledge<MutexStore> knowledge_;
  Upstreams upstreams_;
  Forwarder forwarder_;
  Recursor recursor_;
  std::shared_ptr<const RecursionTable> table_;
  std::shared_ptr<const ForwardTable> forwards_;
  std::vector<std::pair<std::string, Type>> asked_before_;
  std::optional<size_t> changed_;  // a zone, at changed_at_
  Instant changed_at_{};
  std::optional<Instant> spent_at_;  // when a question's budget was last too small
  RecursionReport report_;
};

}  // namespace peregrine::sim
