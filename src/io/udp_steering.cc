#include "io/udp_steering.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

namespace peregrine {
namespace {

using Program = std::vector<sock_filter>;

// Loads at negative offsets are from the network header on: the program is given the UDP payload.
constexpr uint32_t network = static_cast<uint32_t>(SKF_NET_OFF);
constexpr uint32_t about = static_cast<uint32_t>(SKF_AD_OFF);
constexpr uint32_t v4_source = 12, v6_source = 8, v6_header = 40;
constexpr uint32_t odd_one = 0x9e3779b1, odd_two = 0x85ebca6b;

sock_filter statement(int code, uint32_t k) { return BPF_STMT(static_cast<uint16_t>(code), k); }
sock_filter jump_equal(uint32_t k, uint8_t equal, uint8_t other) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, equal, other);
}

void return_modulo(Program& program, size_t sockets) {
  program.push_back(statement(BPF_ALU | BPF_MOD | BPF_K, static_cast<uint32_t>(sockets)));
  program.push_back(statement(BPF_RET | BPF_A, 0));
}

Program by_cpu(std::span<const int> cpus) {
  Program program{statement(BPF_LD | BPF_W | BPF_ABS, about + SKF_AD_CPU)};
  for (size_t i = 0; i < cpus.size(); ++i) {
    if (cpus[i] < 0 || static_cast<size_t>(cpus[i]) % cpus.size() == i) continue;
    program.push_back(jump_equal(static_cast<uint32_t>(cpus[i]), 0, 1));
    program.push_back(statement(BPF_RET | BPF_K, static_cast<uint32_t>(i)));
  }
  return_modulo(program, cpus.size());
  return program;
}

void load_ports(Program& program, Family family) {
  if (family == Family::v6) {
    program.push_back(statement(BPF_LD | BPF_W | BPF_ABS, network + v6_header));
    return;
  }
  // An IPv4 header says itself how many words it has.
  program.push_back(statement(BPF_LD | BPF_B | BPF_ABS, network));
  program.push_back(statement(BPF_ALU | BPF_AND | BPF_K, 15));
  program.push_back(statement(BPF_ALU | BPF_LSH | BPF_K, 2));
  program.push_back(statement(BPF_MISC | BPF_TAX, 0));
  program.push_back(statement(BPF_LD | BPF_W | BPF_IND, network));
}

void mix_in(Program& program, uint32_t offset) {
  program.push_back(statement(BPF_ALU | BPF_MUL | BPF_K, odd_one));
  program.push_back(statement(BPF_ST, 0));
  program.push_back(statement(BPF_LD | BPF_W | BPF_ABS, network + offset));
  program.push_back(statement(BPF_MISC | BPF_TAX, 0));
  program.push_back(statement(BPF_LD | BPF_MEM, 0));
  program.push_back(statement(BPF_ALU | BPF_XOR | BPF_X, 0));
}

Program by_flow(const Steering& steering) {
  Program hash;
  load_ports(hash, steering.family);
  hash.push_back(statement(BPF_ALU | BPF_XOR | BPF_K, steering.seed));
  if (steering.family == Family::v4) {
    mix_in(hash, v4_source);
  } else {
    for (uint32_t word = 0; word < 4; ++word) mix_in(hash, v6_source + 4 * word);
  }
  hash.push_back(statement(BPF_ALU | BPF_MUL | BPF_K, odd_two));
  hash.push_back(statement(BPF_ALU | BPF_RSH | BPF_K, 16));  // the better half

  Program program{statement(BPF_LD | BPF_W | BPF_ABS, about + SKF_AD_RXHASH),
                  jump_equal(0, 0, static_cast<uint8_t>(hash.size()))};
  program.insert(program.end(), hash.begin(), hash.end());
  return_modulo(program, steering.cpus.size());
  return program;
}

}  // namespace

std::error_code steer(int socket, const Steering& steering) {
  if (steering.cpus.empty()) return {EINVAL, std::generic_category()};
  Program program = steering.by == SteerBy::cpu ? by_cpu(steering.cpus) : by_flow(steering);
  const sock_fprog filter{.len = static_cast<uint16_t>(program.size()), .filter = program.data()};
  if (setsockopt(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) == 0) return {};
  return {errno, std::generic_category()};
}

}  // namespace peregrine
