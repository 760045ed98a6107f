#include "monitor.h"

#include <utility>
#include <vector>

#include "connection.h"
#include "dump.h"
#include "errors.h"
#include "messages.h"
#include "task.h"
#include "values.h"

namespace nftjs {
namespace {

std::vector<int> groups_argument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsArray()) throw bad_argument(info.Env(), "an array expected");
  const Napi::Array array = info[index].As<Napi::Array>();
  std::vector<int> groups;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value group = array[i];
    if (!group.IsNumber()) throw bad_argument(info.Env(), "a number expected");
    groups.push_back(group.As<Napi::Number>().Int32Value());
  }
  return groups;
}

}  // namespace

Napi::Function Monitor::define(Napi::Env env) {
  return DefineClass(env, "Monitor",
                     {
                         InstanceMethod<&Monitor::read>("read"),
                         InstanceMethod<&Monitor::generation>("generation"),
                         InstanceMethod<&Monitor::ref>("ref"),
                         InstanceMethod<&Monitor::unref>("unref"),
                         InstanceMethod<&Monitor::close>("close"),
                     });
}

Monitor::Monitor(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Monitor>(info), context_(info.Env(), "nftjs") {
  const Napi::Env env = info.Env();
  const Connection& connection = Connection::of(info[0]);
  const int protocol = static_cast<int>(uint_argument(info, 1));
  const std::vector<int> groups = groups_argument(info, 2);
  const int receive_buffer = static_cast<int>(uint_argument(info, 3));
  try {
    socket_ = connection.sibling(env, receive_buffer, protocol);
    for (const int group : groups) socket_->subscribe(group);
    if (info.Length() > 4) {
      const Napi::Uint8Array request = bytes_argument(info, 4);
      ask(request.Data(), request.ByteLength());
    }
    // On a socket of its own: what it tells and what we heard since must not get mixed up.
    if (protocol == NETLINK_NETFILTER) {
      generation_ = nftjs::generation(*connection.sibling(env, std::nullopt));
    }
    readable_ = std::make_unique<Readable>(
        env, socket_->descriptor(), [this] { on_ready(); }, [this] { socket_.reset(); });
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_error(env, std::current_exception());
  }
}

/** Sends a request and waits for its acknowledgement; what comes before that was not promised to anybody. */
void Monitor::ask(const uint8_t* request, size_t size) {
  socket_->send(request, size);
  for (std::optional<Report> report; !report;) {
    Buffer answer;
    if (socket_->receive(answer) == 0) throw SystemError("recvfrom", ENOBUFS, "the kernel did not answer");
    each_message(answer.data(), answer.size(), [&](const nlmsghdr* message) {
      if (message->nlmsg_type == NLMSG_ERROR) report = read_report(message);
    });
    if (report && report->code != 0) throw Refused(*report);
  }
}

Monitor::Received Monitor::receive(size_t limit) {
  Received received;
  try {
    while (received.messages.size() < limit && socket_->receive(received.messages) > 0) continue;
  } catch (const SystemError& error) {
    if (error.code() != ENOBUFS) throw;
    received.overrun = true;
    drain();
  }
  return received;
}

/**
 * Empties the socket's queue after an overrun. The kernel delivers nothing until that is done, and where in
 * the queue messages are missing it does not say: none of them can be told to be whole.
 */
void Monitor::drain() {
  Buffer dropped;
  for (;;) {
    try {
      dropped.truncate(0);
      if (socket_->receive(dropped) == 0) return;
    } catch (const SystemError& error) {
      if (error.code() != ENOBUFS) throw;
    }
  }
}

/** Settles a read if there is something to say. */
bool Monitor::answer(const Waiting& waiting) {
  const Napi::Env env = Env();
  try {
    Received received = receive(waiting.limit);
    if (received.messages.size() == 0 && !received.overrun) return false;
    Napi::Object value = Napi::Object::New(env);
    value.Set("messages", give(env, received.messages));
    value.Set("overrun", Napi::Boolean::New(env, received.overrun));
    waiting.deferred.Resolve(value);
  } catch (const Napi::Error& error) {
    waiting.deferred.Reject(error.Value());
  } catch (...) {
    waiting.deferred.Reject(to_error(env, std::current_exception()).Value());
  }
  return true;
}

void Monitor::on_ready() {
  const Napi::HandleScope handles(Env());
  // Nothing else may hold the object once its read is answered.
  [[maybe_unused]] const Napi::Object self = Value();
  try {
    // Promises' reactions run when this scope ends.
    const Napi::CallbackScope reactions(Env(), context_);
    if (waiting_ && answer(*waiting_)) stop_waiting();
  } catch (const Napi::Error&) {
    // The environment runs no JavaScript any more.
    if (readable_) readable_->stop();
  }
}

void Monitor::stop_waiting() {
  readable_->stop();
  waiting_.reset();
  Unref();
}

Napi::Value Monitor::read(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const size_t limit = limit_argument(info, 0);
  if (waiting_) {
    throw to_error(env, std::make_exception_ptr(SystemError("recvfrom", EBUSY, "a read waits already")));
  }
  if (!socket_) {
    throw to_error(env, std::make_exception_ptr(SystemError("recvfrom", EBADF, "the monitor is closed")));
  }
  const Waiting waiting{Napi::Promise::Deferred(env), limit};
  if (answer(waiting)) return waiting.deferred.Promise();
  try {
    readable_->start();
  } catch (...) {
    throw to_error(env, std::current_exception());
  }
  // The object must outlive its read.
  Ref();
  waiting_.emplace(waiting);
  return waiting.deferred.Promise();
}

Napi::Value Monitor::generation(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), generation_);
}

Napi::Value Monitor::ref(const Napi::CallbackInfo& info) {
  if (readable_) readable_->hold(true);
  return info.Env().Undefined();
}

Napi::Value Monitor::unref(const Napi::CallbackInfo& info) {
  if (readable_) readable_->hold(false);
  return info.Env().Undefined();
}

Napi::Value Monitor::close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (waiting_) {
    waiting_->deferred.Reject(to_error(env, std::make_exception_ptr(Cancelled())).Value());
    stop_waiting();
  }
  readable_.reset();
  socket_.reset();
  return env.Undefined();
}

}  // namespace nftjs
