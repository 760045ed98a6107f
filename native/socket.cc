#include "socket.h"

#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <exception>
#include <limits>
#include <thread>

#include "errors.h"
#include "file_descriptor.h"

namespace nftjs {
namespace {

/** What the kernel keeps of the send buffer for itself (netlink_sendmsg). */
constexpr size_t kSendOverhead = 32;

/**
 * Runs `work` in the network namespace of `netns`, in a thread of its own: a thread that entered a namespace
 * must never go back to a pool.
 */
template <typename Work>
void in_namespace(int netns, Work work) {
  std::exception_ptr failure;
  std::thread thread([&] {
    try {
      if (setns(netns, CLONE_NEWNET) != 0) throw SystemError("setns", errno);
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  });
  thread.join();
  if (failure) std::rethrow_exception(failure);
}

bool same_file(int a, int b) {
  struct stat left, right;
  return fstat(a, &left) == 0 && fstat(b, &right) == 0 && left.st_dev == right.st_dev &&
         left.st_ino == right.st_ino;
}

void set_option(const mnl_socket* socket, int level, int option, int value) {
  if (setsockopt(mnl_socket_get_fd(socket), level, option, &value, sizeof value) != 0) {
    throw SystemError("setsockopt", errno);
  }
}

/** Sets a buffer size past the system's limit where we may, and up to it where not. */
void set_buffer(const mnl_socket* socket, int forced, int polite, int size) {
  const int fd = mnl_socket_get_fd(socket);
  if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size) == 0) return;
  if (errno != EPERM) throw SystemError("setsockopt", errno);
  set_option(socket, SOL_SOCKET, polite, size);
}

}  // namespace

Socket::Socket(Handle socket, int receive_buffer)
    : socket_(std::move(socket)), receive_buffer_(receive_buffer), send_limit_(send_buffer()) {}

Socket::Handle Socket::make(int protocol, int receive_buffer) {
  Handle socket(mnl_socket_open2(protocol, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) throw SystemError("socket", errno);
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) != 0) throw SystemError("bind", errno);
  set_option(socket.get(), SOL_NETLINK, NETLINK_EXT_ACK, 1);
  set_option(socket.get(), SOL_NETLINK, NETLINK_CAP_ACK, 1);
  set_buffer(socket.get(), SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer);
  return socket;
}

std::unique_ptr<Socket> Socket::open(const std::string& netns, int receive_buffer) {
  Handle socket;
  if (netns.empty()) {
    socket = make(NETLINK_NETFILTER, receive_buffer);
  } else {
    FileDescriptor file(::open(netns.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) throw SystemError("open", errno, netns);
    try {
      in_namespace(file.get(), [&] { socket = make(NETLINK_NETFILTER, receive_buffer); });
    } catch (const SystemError& error) {
      throw SystemError(error.syscall(), error.code(), netns);
    }
  }
  return std::unique_ptr<Socket>(new Socket(std::move(socket), receive_buffer));
}

void Socket::in_its_namespace(const std::function<void()>& work) const {
  FileDescriptor netns(ioctl(mnl_socket_get_fd(socket_.get()), SIOCGSKNS));
  if (!netns.valid()) throw SystemError("ioctl", errno, "SIOCGSKNS");
  FileDescriptor current(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (current.valid() && same_file(netns.get(), current.get())) {
    work();
  } else {
    in_namespace(netns.get(), work);
  }
}

std::unique_ptr<Socket> Socket::sibling(std::optional<int> receive_buffer, int protocol) const {
  const int size = receive_buffer.value_or(receive_buffer_);
  Handle socket;
  in_its_namespace([&] { socket = make(protocol, size); });
  return std::unique_ptr<Socket>(new Socket(std::move(socket), size));
}

void Socket::subscribe(int group) {
  set_option(socket_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
}

void Socket::check_strictly() {
  int strict = 1;
  mnl_socket_setsockopt(socket_.get(), NETLINK_GET_STRICT_CHK, &strict, sizeof strict);
}

size_t Socket::send_buffer() const {
  int size = 0;
  socklen_t length = sizeof size;
  if (getsockopt(mnl_socket_get_fd(socket_.get()), SOL_SOCKET, SO_SNDBUF, &size, &length) != 0) {
    throw SystemError("getsockopt", errno);
  }
  return static_cast<size_t>(size);
}

void Socket::reserve_send_buffer(size_t size) {
  const size_t needed = size + kSendOverhead;
  if (needed <= send_limit_) return;
  // The kernel doubles what it is asked for.
  if (needed / 2 >= static_cast<size_t>(std::numeric_limits<int>::max()) / 2) {
    throw SystemError("sendto", EMSGSIZE,
                      "a batch of " + std::to_string(size) + " bytes is more than a socket can send at once");
  }
  set_buffer(socket_.get(), SO_SNDBUFFORCE, SO_SNDBUF, static_cast<int>(needed / 2 + 1));
  send_limit_ = send_buffer();
  if (needed > send_limit_) {
    throw SystemError("sendto", EMSGSIZE,
                      "a batch of " + std::to_string(size) + " bytes does not fit into the send buffer of " +
                          std::to_string(send_limit_) +
                          " bytes, which net.core.wmem_max limits for lack of CAP_NET_ADMIN in the initial "
                          "user namespace");
  }
}

void Socket::send(const void* data, size_t size) {
  reserve_send_buffer(size);
  while (mnl_socket_sendto(socket_.get(), data, size) < 0) {
    if (errno != EINTR) throw SystemError("sendto", errno);
  }
}

size_t Socket::receive(Buffer& buffer) {
  uint8_t* room = buffer.room(kReceiveRoom);
  for (;;) {
    const ssize_t size = mnl_socket_recvfrom(socket_.get(), room, kReceiveRoom);
    if (size >= 0) {
      buffer.commit(static_cast<size_t>(size));
      return static_cast<size_t>(size);
    }
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) throw SystemError("recvfrom", errno);
  }
}

}  // namespace nftjs
