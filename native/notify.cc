#include "notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <string>

#include "errors.h"
#include "file_descriptor.h"
#include "task.h"
#include "values.h"

namespace nftjs {
namespace {

void send_datagram(const std::string& address, const std::string& state) {
  sockaddr_un target{};
  target.sun_family = AF_UNIX;
  if (address.empty() || address.size() >= sizeof target.sun_path) {
    throw SystemError("sendto", EINVAL, "the address of the socket has 1 to 107 bytes");
  }
  std::memcpy(target.sun_path, address.data(), address.size());
  const bool is_abstract = address.front() == '@';
  if (is_abstract) target.sun_path[0] = '\0';
  // A path ends with a zero byte, an abstract name with its last one.
  const auto size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() + (is_abstract ? 0 : 1));
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) throw SystemError("socket", errno);
  const ssize_t sent = ::sendto(socket.get(), state.data(), state.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&target), size);
  if (sent < 0) throw SystemError("sendto", errno);
}

}  // namespace

Napi::Value notify(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString() || !info[1].IsString()) throw bad_argument(env, "two strings expected");
  try {
    send_datagram(info[0].As<Napi::String>().Utf8Value(), info[1].As<Napi::String>().Utf8Value());
  } catch (const SystemError&) {
    throw to_error(env, std::current_exception());
  }
  return env.Undefined();
}

}  // namespace nftjs
