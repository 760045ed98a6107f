// Raw Ethernet frames for tests and benchmarks: Node has no packet sockets, and a firewall is believed only
// when real frames stop. Descriptors cross to JavaScript as plain numbers and are closed there.

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <napi.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr size_t kMaxFrame = 65536;
constexpr size_t kAddressBytes = 12;
constexpr size_t kTagBytes = 4;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Returns `result`, or throws what errno says, naming the call.
int Check(int result, const std::string& what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

Napi::Error ToJs(Napi::Env env, const std::system_error& failure) {
  Napi::Error error = Napi::Error::New(env, failure.what());
  error.Set("errno", Napi::Number::New(env, failure.code().value()));
  return error;
}

// Runs `body` in a thread of its own, so that a change of network namespace ends with the thread.
template <typename Body>
int InThread(Body body) {
  int fd = -1;
  std::exception_ptr failure;
  std::thread([&] {
    try {
      fd = body();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
  return fd;
}

int CreateNamespace() {
  Check(unshare(CLONE_NEWNET), "unshare(CLONE_NEWNET)");
  return Check(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "open /proc/thread-self/ns/net");
}

void Enable(int fd, int option, const char* name) {
  const int on = 1;
  Check(setsockopt(fd, SOL_PACKET, option, &on, sizeof on), name);
}

int OpenSocket(const std::string& netns, const std::string& ifname, bool receive) {
  Descriptor space(Check(open(netns.c_str(), O_RDONLY | O_CLOEXEC), "open " + netns));
  Check(setns(space.get(), CLONE_NEWNET), "setns " + netns);
  // Protocol 0 receives nothing until bind names an interface, so no other interface's frame gets in.
  Descriptor fd(Check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket(AF_PACKET)"));
  Enable(fd.get(), PACKET_AUXDATA, "PACKET_AUXDATA");
  Enable(fd.get(), PACKET_IGNORE_OUTGOING, "PACKET_IGNORE_OUTGOING");
  // Past queueing disciplines and the netdev egress hook: what is sent here is on the wire.
  Enable(fd.get(), PACKET_QDISC_BYPASS, "PACKET_QDISC_BYPASS");

  ifreq request{};
  if (ifname.size() >= sizeof request.ifr_name) {
    throw std::system_error(ENAMETOOLONG, std::generic_category(), "interface " + ifname);
  }
  std::memcpy(request.ifr_name, ifname.c_str(), ifname.size());
  Check(ioctl(fd.get(), SIOCGIFINDEX, &request), "interface " + ifname);

  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = receive ? htons(ETH_P_ALL) : 0;
  address.sll_ifindex = request.ifr_ifindex;
  Check(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), "bind to " + ifname);
  return fd.release();
}

// Keeps the calling thread on the first CPU it may use while in scope. Frames between virtual
// interfaces wait in one queue per CPU; on one CPU they therefore keep their order.
class OnOneCpu {
 public:
  OnOneCpu() {
    Check(sched_getaffinity(0, sizeof before_, &before_), "sched_getaffinity");
    int cpu = 0;
    while (!CPU_ISSET(cpu, &before_)) cpu++;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    Check(sched_setaffinity(0, sizeof only, &only), "sched_setaffinity");
  }
  ~OnOneCpu() { sched_setaffinity(0, sizeof before_, &before_); }
  OnOneCpu(const OnOneCpu&) = delete;
  OnOneCpu& operator=(const OnOneCpu&) = delete;

 private:
  cpu_set_t before_;
};

void Send(int fd, const uint8_t* frame, size_t length) {
  OnOneCpu pinned;
  const ssize_t sent = send(fd, frame, length, 0);
  Check(static_cast<int>(sent), "send");
  if (static_cast<size_t>(sent) != length) {
    throw std::system_error(EMSGSIZE, std::generic_category(), "send");
  }
}

// Sends frames of `length` bytes, which lie side by side, in `order`, each through the interface that has its
// place in `interfaces`; returns how long all of it took in nanoseconds. A frame between virtual interfaces
// goes its whole way before the next one starts.
double Drive(int fd, const Napi::Int32Array& interfaces, const Napi::Uint8Array& frames, size_t length,
             const Napi::Uint32Array& order) {
  using Clock = std::chrono::steady_clock;
  const size_t count = order.ElementLength();
  std::vector<sockaddr_ll> addresses(count);
  std::vector<iovec> parts(count);
  std::vector<mmsghdr> messages(count);
  for (size_t i = 0; i < count; i++) {
    addresses[i].sll_family = AF_PACKET;
    addresses[i].sll_ifindex = interfaces[order[i]];
    parts[i].iov_base = const_cast<uint8_t*>(frames.Data()) + order[i] * length;
    parts[i].iov_len = length;
    messages[i].msg_hdr.msg_name = &addresses[i];
    messages[i].msg_hdr.msg_namelen = sizeof(sockaddr_ll);
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  OnOneCpu pinned;
  const auto start = Clock::now();
  for (size_t sent = 0; sent < count;) {
    sent += Check(sendmmsg(fd, messages.data() + sent, static_cast<unsigned>(count - sent), 0), "sendmmsg");
  }
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

// The kernel takes the outermost tag out of a frame and reports it beside; this puts it back.
size_t RestoreTag(const msghdr& message, uint8_t* frame, size_t length) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&message), part)) {
    if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata beside;
    std::memcpy(&beside, CMSG_DATA(part), sizeof beside);
    if ((beside.tp_status & TP_STATUS_VLAN_VALID) == 0 || length < kAddressBytes) return length;
    const bool named = (beside.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
    const uint16_t type = htons(named ? beside.tp_vlan_tpid : ETH_P_8021Q);
    const uint16_t tag = htons(beside.tp_vlan_tci);
    std::memmove(frame + kAddressBytes + kTagBytes, frame + kAddressBytes, length - kAddressBytes);
    std::memcpy(frame + kAddressBytes, &type, sizeof type);
    std::memcpy(frame + kAddressBytes + sizeof type, &tag, sizeof tag);
    return length + kTagBytes;
  }
  return length;
}

// Length of the next frame, 0 when none came within `timeout` milliseconds.
size_t Receive(int fd, int timeout, std::array<uint8_t, kMaxFrame + kTagBytes>& frame) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout);
  for (;;) {
    alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(tpacket_auxdata))> control;
    iovec part{frame.data(), kMaxFrame};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t length = recvmsg(fd, &message, 0);
    if (length >= 0) return RestoreTag(message, frame.data(), static_cast<size_t>(length));
    if (errno == EINTR) continue;
    if (errno != EAGAIN) Check(-1, "recvmsg");
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return 0;
    pollfd ready{fd, POLLIN, 0};
    const int woken = poll(&ready, 1, static_cast<int>(left));
    if (woken < 0 && errno != EINTR) Check(-1, "poll");
  }
}

Napi::Value CreateNamespaceJs(const Napi::CallbackInfo& info) {
  try {
    return Napi::Number::New(info.Env(), InThread(CreateNamespace));
  } catch (const std::system_error& failure) {
    throw ToJs(info.Env(), failure);
  }
}

Napi::Value OpenSocketJs(const Napi::CallbackInfo& info) {
  const std::string netns = info[0].As<Napi::String>();
  const std::string ifname = info[1].As<Napi::String>();
  const bool receive = info[2].As<Napi::Boolean>();
  try {
    return Napi::Number::New(info.Env(), InThread([&] { return OpenSocket(netns, ifname, receive); }));
  } catch (const std::system_error& failure) {
    throw ToJs(info.Env(), failure);
  }
}

void SendJs(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>();
  const auto frame = info[1].As<Napi::Uint8Array>();
  try {
    Send(fd, frame.Data(), frame.ByteLength());
  } catch (const std::system_error& failure) {
    throw ToJs(info.Env(), failure);
  }
}

Napi::Value DriveJs(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>();
  const auto interfaces = info[1].As<Napi::Int32Array>();
  const auto frames = info[2].As<Napi::Uint8Array>();
  const size_t length = info[3].As<Napi::Number>().Uint32Value();
  const auto order = info[4].As<Napi::Uint32Array>();
  if (frames.ByteLength() != interfaces.ElementLength() * length) {
    throw Napi::RangeError::New(info.Env(), "an interface for each frame expected");
  }
  for (size_t i = 0; i < order.ElementLength(); i++) {
    if (order[i] >= interfaces.ElementLength()) throw Napi::RangeError::New(info.Env(), "no such frame");
  }
  try {
    return Napi::Number::New(info.Env(), Drive(fd, interfaces, frames, length, order));
  } catch (const std::system_error& failure) {
    throw ToJs(info.Env(), failure);
  }
}

Napi::Value ReceiveJs(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>();
  const int timeout = info[1].As<Napi::Number>();
  std::array<uint8_t, kMaxFrame + kTagBytes> frame;
  try {
    const size_t length = Receive(fd, timeout, frame);
    if (length == 0) return info.Env().Undefined();
    return Napi::Buffer<uint8_t>::Copy(info.Env(), frame.data(), length);
  } catch (const std::system_error& failure) {
    throw ToJs(info.Env(), failure);
  }
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("createNamespace", Napi::Function::New(env, CreateNamespaceJs, "createNamespace"));
  exports.Set("openSocket", Napi::Function::New(env, OpenSocketJs, "openSocket"));
  exports.Set("send", Napi::Function::New(env, SendJs, "send"));
  exports.Set("drive", Napi::Function::New(env, DriveJs, "drive"));
  exports.Set("receive", Napi::Function::New(env, ReceiveJs, "receive"));
  return exports;
}

}  // namespace

NODE_API_MODULE(frames, Init)
