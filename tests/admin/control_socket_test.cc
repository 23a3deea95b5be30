#include "admin/control_socket.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "admin/control_support.h"

namespace peregrine {
namespace {

using testing::Test;

mode_t mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status.st_mode;
}

TEST(ControlSocket, IsForItsOwnerWhateverTheUmask) {
  const TempDir dir;
  for (const mode_t mask : {mode_t{0}, mode_t{0022}, mode_t{0777}}) {
    const std::string path = dir / "s" + std::to_string(mask);
    const mode_t before = umask(mask);
    const auto socket = ControlSocket::open(path);
    umask(before);
    ASSERT_TRUE(socket.has_value()) << socket.error();
    EXPECT_TRUE(S_ISSOCK(mode_of(path)));
    EXPECT_EQ(mode_of(path) & 0077, 0u);
  }
  EXPECT_EQ(mode_of(dir.path()) & 0777, 0700u);
}

TEST(ControlSocket, HasMode0600) {
  const TempDir dir;
  const auto socket = ControlSocket::open(dir / "s");
  ASSERT_TRUE(socket.has_value()) << socket.error();
  EXPECT_EQ(mode_of(dir / "s") & 07777, 0600u);
}

TEST(ControlSocket, TakesThePlaceOfADeadOne) {
  const TempDir dir;
  const sockaddr_un address = *unix_address(dir / "s");
  {
    const Fd dead(socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(dead.get(), 1), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(dir / "s"));
  const auto socket = ControlSocket::open(dir / "s");
  ASSERT_TRUE(socket.has_value()) << socket.error();
  const Fd client(::socket(AF_UNIX, SOCK_STREAM, 0));
  EXPECT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

TEST(ControlSocket, LeavesALivingOne) {
  const TempDir dir;
  const auto first = ControlSocket::open(dir / "s");
  ASSERT_TRUE(first.has_value());
  const auto second = ControlSocket::open(dir / "s");
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().find("server.state_dir"), std::string::npos) << second.error();
  EXPECT_TRUE(std::filesystem::exists(dir / "s"));
}

TEST(ControlSocket, LeavesALivingOneWhoseQueueIsFull) {
  const TempDir dir;
  const sockaddr_un address = *unix_address(dir / "s");
  const Fd busy(socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(bind(busy.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(busy.get(), 0), 0);
  std::vector<Fd> waiting;
  do {
    waiting.emplace_back(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
  } while (connect(waiting.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  EXPECT_FALSE(ControlSocket::open(dir / "s").has_value());
  EXPECT_TRUE(std::filesystem::exists(dir / "s"));
}

TEST(ControlSocket, NeverRemovesAFileThatIsNoSocket) {
  const TempDir dir;
  std::ofstream(dir / "s") << "precious";
  const auto socket = ControlSocket::open(dir / "s");
  ASSERT_FALSE(socket.has_value());
  EXPECT_NE(socket.error().find("no socket"), std::string::npos) << socket.error();
  EXPECT_EQ(std::filesystem::file_size(dir / "s"), 8u);
}

TEST(ControlSocket, DoesNotFollowALinkToASocket) {
  const TempDir dir;
  const auto other = ControlSocket::open(dir / "other");
  ASSERT_TRUE(other.has_value());
  std::filesystem::create_symlink(dir / "other", dir / "s");
  EXPECT_FALSE(ControlSocket::open(dir / "s").has_value());
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "s"));
}

TEST(ControlSocket, OfManyThatStartAtOnceOneGetsIt) {
  const TempDir dir;
  std::vector<std::expected<ControlSocket, std::string>> opened;
  for (int i = 0; i < 8; ++i) opened.emplace_back(std::unexpected(""));
  std::vector<std::thread> threads;
  for (auto& result : opened) {
    threads.emplace_back([&] {
      if (auto socket = ControlSocket::open(dir / "s")) std::construct_at(&result, std::move(*socket));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(std::ranges::count_if(opened, [](const auto& o) { return o.has_value(); }), 1);
  EXPECT_TRUE(std::filesystem::exists(dir / "s"));
}

TEST(ControlSocket, RemovesItsFileAtTheEnd) {
  const TempDir dir;
  ASSERT_TRUE(ControlSocket::open(dir / "s").has_value());
  EXPECT_FALSE(std::filesystem::exists(dir / "s"));
}

TEST(ControlSocket, LeavesWhatHasTakenItsPlace) {
  const TempDir dir;
  {
    const auto socket = ControlSocket::open(dir / "s");
    ASSERT_TRUE(socket.has_value());
    std::filesystem::remove(dir / "s");
    std::ofstream(dir / "s") << "another";
  }
  EXPECT_TRUE(std::filesystem::exists(dir / "s"));
}

TEST(ControlSocket, SaysWhyItCannotBeOpened) {
  const TempDir dir;
  const auto missing = ControlSocket::open(dir / "absent/s");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().find("absent/s: No such file"), std::string::npos) << missing.error();

  const auto too_long = ControlSocket::open(dir / std::string(108, 'x'));
  ASSERT_FALSE(too_long.has_value());
  EXPECT_NE(too_long.error().find("107 octets"), std::string::npos) << too_long.error();
}

TEST(UnixAddress, HoldsUpTo107Octets) {
  EXPECT_TRUE(unix_address(std::string(107, 'x')).has_value());
  EXPECT_FALSE(unix_address(std::string(108, 'x')).has_value());
}

}  // namespace
}  // namespace peregrine
