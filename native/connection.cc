#include "connection.h"

#include <limits>
#include <utility>

#include "errors.h"
#include "program.h"
#include "rtnetlink.h"
#include "transaction.h"
#include "values.h"

namespace nftjs {
namespace {

using Bytes = std::vector<uint8_t>;

/** Programs of up to so many bytes are copied. */
constexpr size_t kCopied = 64 << 10;

/** Tells a Connection from whatever else an object may wrap. */
constexpr napi_type_tag kConnectionTag = {0x6b1f0c5e9a7d4f21, 0x8c3e52d7f4b960a8};

Bytes bytes_copy(const Napi::CallbackInfo& info, size_t index) {
  const Napi::Uint8Array bytes = bytes_argument(info, index);
  return Bytes(bytes.Data(), bytes.Data() + bytes.ByteLength());
}

/** (type, family, flags, attributes) from `index` on. */
Request request_arguments(const Napi::CallbackInfo& info, size_t index) {
  const Napi::Uint8Array attributes = bytes_argument(info, index + 3);
  if (attributes.ByteLength() % MNL_ALIGNTO != 0)
    throw bad_argument(info.Env(), "attributes padded to 4 expected");
  return Request{static_cast<uint8_t>(uint_argument(info, index)),
                 static_cast<uint8_t>(uint_argument(info, index + 1)),
                 static_cast<uint16_t>(uint_argument(info, index + 2)),
                 Bytes(attributes.Data(), attributes.Data() + attributes.ByteLength())};
}

const char* status_name(Outcome::Status status) {
  switch (status) {
    case Outcome::Status::kChecked:
      return "checked";
    case Outcome::Status::kCommitted:
      return "committed";
    case Outcome::Status::kRefused:
      return "refused";
    case Outcome::Status::kUnknown:
      break;
  }
  return "unknown";
}

Napi::Object failure_value(Napi::Env env, const Failure& failure) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("errno", Napi::Number::New(env, failure.code));
  value.Set("message", Napi::String::New(env, failure.text));
  const Place& place = failure.place;
  if (place.operation) value.Set("operation", Napi::Number::New(env, *place.operation));
  if (place.elements) {
    Napi::Object range = Napi::Object::New(env);
    range.Set("first", Napi::Number::New(env, place.elements->first));
    range.Set("last", Napi::Number::New(env, place.elements->last));
    value.Set("elements", range);
  }
  if (place.offset) value.Set("offset", Napi::Number::New(env, *place.offset));
  if (!place.attribute.empty()) {
    Napi::Array path = Napi::Array::New(env, place.attribute.size());
    for (uint32_t i = 0; i < place.attribute.size(); i++)
      path[i] = Napi::Number::New(env, place.attribute[i]);
    value.Set("attribute", path);
  }
  return value;
}

/** Puts lists into `value`, but for those that are empty. */
void set_lists(Napi::Env env, Napi::Object value, Outcome& outcome) {
  if (!outcome.failures.empty()) {
    Napi::Array errors = Napi::Array::New(env, outcome.failures.size());
    for (uint32_t i = 0; i < outcome.failures.size(); i++) {
      const Napi::HandleScope scope(env);
      errors[i] = failure_value(env, outcome.failures[i]);
    }
    value.Set("errors", errors);
  }
  if (!outcome.echoes.empty()) {
    Napi::Uint32Array index = Napi::Uint32Array::New(env, outcome.echoes.size() * 3);
    size_t at = 0;
    for (const Echo& echo : outcome.echoes) {
      index[at++] = echo.operation;
      index[at++] = echo.start;
      index[at++] = echo.length;
    }
    value.Set("echoIndex", index);
    value.Set("echo", give(env, outcome.echoed));
  }
}

Napi::Value outcome_value(Napi::Env env, Outcome& outcome) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("status", Napi::String::New(env, status_name(outcome.status)));
  if (outcome.generation) value.Set("generation", Napi::Number::New(env, *outcome.generation));
  value.Set("lost", Napi::Boolean::New(env, outcome.lost));
  value.Set("messages", Napi::Number::New(env, outcome.messages));
  value.Set("bytes", Napi::Number::New(env, static_cast<double>(outcome.bytes)));
  set_lists(env, value, outcome);
  return value;
}

/** Whether all there is to tell is that the transaction was committed. */
bool is_plain(const Outcome& outcome) {
  return outcome.status == Outcome::Status::kCommitted && outcome.generation && !outcome.lost &&
         outcome.echoes.empty();
}

/** What one read of an answer brought. */
struct Answer {
  Buffer messages;
  bool done;
  bool interrupted;
};

Napi::Value answer_value(Napi::Env env, Answer& answer) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("messages", give(env, answer.messages));
  value.Set("done", Napi::Boolean::New(env, answer.done));
  value.Set("interrupted", Napi::Boolean::New(env, answer.interrupted));
  return value;
}

/** Reads on; an answer that cannot be read further is finished, so that the socket is free. */
Convert read_answer(Channel& channel, size_t limit, const std::atomic<bool>& cancelled) {
  if (!channel.dump) throw SystemError("recvfrom", EINVAL, "no answer is being read");
  auto answer = std::make_shared<Answer>();
  try {
    channel.dump->read(answer->messages, limit, cancelled);
  } catch (...) {
    channel.dump->finish();
    channel.dump.reset();
    throw;
  }
  answer->done = channel.dump->done();
  answer->interrupted = channel.dump->interrupted();
  if (answer->done) channel.dump.reset();
  return [answer](Napi::Env env) { return answer_value(env, *answer); };
}

/** @param what a program, or a batch */
template <typename What>
Outcome transact_on(Channel& channel, What&& what) {
  const std::lock_guard<std::mutex> lock(channel.mutex);
  return transact(*channel.socket, what, channel.storage);
}

Work submit_work(std::shared_ptr<Channel> channel, std::shared_ptr<void> owner, Span program) {
  return
      [channel = std::move(channel), owner = std::move(owner), program](const std::atomic<bool>&) -> Convert {
        auto outcome = std::make_shared<Outcome>(transact_on(*channel, program));
        return [outcome](Napi::Env env) { return outcome_value(env, *outcome); };
      };
}

Work submit_work(std::shared_ptr<Channel> channel, Batch batch) {
  return [channel = std::move(channel),
          shared = std::make_shared<Batch>(std::move(batch))](const std::atomic<bool>&) -> Convert {
    // Its memory goes on this thread.
    Batch sent = std::move(*shared);
    auto outcome = std::make_shared<Outcome>(transact_on(*channel, sent));
    return [outcome](Napi::Env env) { return outcome_value(env, *outcome); };
  };
}

Work request_work(std::shared_ptr<Channel> channel, Request request, size_t limit) {
  return [channel = std::move(channel), request = std::move(request),
          limit](const std::atomic<bool>& cancelled) -> Convert {
    const std::lock_guard<std::mutex> lock(channel->mutex);
    if (channel->dump) throw SystemError("sendto", EBUSY, "an answer is still being read");
    channel->dump.emplace(*channel->socket, request);
    return read_answer(*channel, limit, cancelled);
  };
}

Work generation_work(std::shared_ptr<Channel> channel) {
  return [channel = std::move(channel)](const std::atomic<bool>&) -> Convert {
    const std::lock_guard<std::mutex> lock(channel->mutex);
    const uint32_t found = generation(*channel->socket);
    return [found](Napi::Env env) { return Napi::Number::New(env, found); };
  };
}

Work rtnetlink_work(std::shared_ptr<Channel> channel, Bytes requests) {
  return [channel = std::move(channel), requests = std::move(requests)](const std::atomic<bool>&) -> Convert {
    const std::lock_guard<std::mutex> lock(channel->mutex);
    auto answer = std::make_shared<Buffer>();
    ask_rtnetlink(*channel->socket, Span(requests.data(), requests.size()), *answer);
    return [answer](Napi::Env env) { return give(env, *answer); };
  };
}

}  // namespace

Napi::Function Connection::define(Napi::Env env) {
  return DefineClass(env, "Connection",
                     {
                         InstanceMethod<&Connection::submit>("submit"),
                         InstanceMethod<&Connection::submit_sync>("submitSync"),
                         InstanceMethod<&Connection::request>("request"),
                         InstanceMethod<&Connection::request_sync>("requestSync"),
                         InstanceMethod<&Connection::next>("next"),
                         InstanceMethod<&Connection::generation>("generation"),
                         InstanceMethod<&Connection::generation_sync>("generationSync"),
                         InstanceMethod<&Connection::rtnetlink>("rtnetlink"),
                         InstanceMethod<&Connection::rtnetlink_sync>("rtnetlinkSync"),
                         InstanceMethod<&Connection::port>("port"),
                         InstanceMethod<&Connection::cancel>("cancel"),
                         InstanceMethod<&Connection::close>("close"),
                     });
}

Connection::Connection(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Connection>(info),
      channel_(std::make_shared<Channel>()),
      queue_(info.Env(), [this] { Unref(); }) {
  const Napi::Env env = info.Env();
  try {
    if (info[0].IsString()) {
      const int receive_buffer = static_cast<int>(uint_argument(info, 1));
      channel_->socket = Socket::open(info[0].As<Napi::String>(), receive_buffer);
    } else {
      channel_->socket = of(info[0]).sibling(env, std::nullopt);
    }
    info.This().As<Napi::Object>().TypeTag(&kConnectionTag);
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_error(env, std::current_exception());
  }
}

std::shared_ptr<Channel> Connection::channel(Napi::Env env) const {
  if (channel_) return channel_;
  throw to_error(env, std::make_exception_ptr(SystemError("sendto", EBADF, "the connection is closed")));
}

Connection& Connection::of(Napi::Value value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kConnectionTag)) {
    throw bad_argument(value.Env(), "a Connection expected");
  }
  return *Unwrap(value.As<Napi::Object>());
}

std::unique_ptr<Socket> Connection::sibling(Napi::Env env, std::optional<int> receive_buffer,
                                            int protocol) const {
  return channel(env)->socket->sibling(receive_buffer, protocol);
}

Napi::Value Connection::add(const Napi::CallbackInfo& info, Work work) {
  const uint32_t id = uint_argument(info, 0);
  // The object must outlive its tasks.
  if (queue_.empty()) Ref();
  return queue_.add(id, std::move(work));
}

Napi::Value Connection::submit(const Napi::CallbackInfo& info) {
  if (Program::is(info[1])) {
    return add(info, submit_work(channel(info.Env()), Program::take(info[1])));
  }
  const Napi::Uint8Array program = bytes_argument(info, 1);
  const Span bytes(program.Data(), program.ByteLength());
  if (bytes.size() <= kCopied) {
    auto copy = std::make_shared<Bytes>(bytes.data(), bytes.data() + bytes.size());
    return add(info, submit_work(channel(info.Env()), copy, Span(copy->data(), copy->size())));
  }
  // A large one is not copied, which would keep the event loop; the reference goes on this thread, with its
  // task.
  auto held = std::make_shared<Napi::Reference<Napi::Uint8Array>>(Napi::Persistent(program));
  return add(info, submit_work(channel(info.Env()), held, bytes));
}

Napi::Value Connection::submit_sync(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array program = bytes_argument(info, 0);
  const std::shared_ptr<Channel> used = channel(info.Env());
  try {
    Outcome outcome = transact_on(*used, Span(program.Data(), program.ByteLength()));
    if (!is_plain(outcome) || !info[1].IsTypedArray()) return outcome_value(info.Env(), outcome);
    auto figures = info[1].As<Napi::Float64Array>();
    if (figures.TypedArrayType() != napi_float64_array || figures.ElementLength() < 3)
      throw bad_argument(info.Env(), "a Float64Array of 3 expected");
    double* to = figures.Data();
    to[0] = *outcome.generation;
    to[1] = outcome.messages;
    to[2] = static_cast<double>(outcome.bytes);
    return info.Env().Undefined();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_error(info.Env(), std::current_exception());
  }
}

Napi::Value Connection::request(const Napi::CallbackInfo& info) {
  const size_t limit = limit_argument(info, 5);
  return add(info, request_work(channel(info.Env()), request_arguments(info, 1), limit));
}

Napi::Value Connection::request_sync(const Napi::CallbackInfo& info) {
  const size_t limit = std::numeric_limits<size_t>::max();
  return run_now(info.Env(), request_work(channel(info.Env()), request_arguments(info, 0), limit));
}

Napi::Value Connection::next(const Napi::CallbackInfo& info) {
  const size_t limit = limit_argument(info, 1);
  return add(info, [channel = channel(info.Env()), limit](const std::atomic<bool>& cancelled) {
    const std::lock_guard<std::mutex> lock(channel->mutex);
    return read_answer(*channel, limit, cancelled);
  });
}

Napi::Value Connection::generation(const Napi::CallbackInfo& info) {
  return add(info, generation_work(channel(info.Env())));
}

Napi::Value Connection::generation_sync(const Napi::CallbackInfo& info) {
  return run_now(info.Env(), generation_work(channel(info.Env())));
}

Napi::Value Connection::rtnetlink(const Napi::CallbackInfo& info) {
  return add(info, rtnetlink_work(channel(info.Env()), bytes_copy(info, 1)));
}

Napi::Value Connection::rtnetlink_sync(const Napi::CallbackInfo& info) {
  return run_now(info.Env(), rtnetlink_work(channel(info.Env()), bytes_copy(info, 0)));
}

Napi::Value Connection::port(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), channel(info.Env())->socket->port());
}

Napi::Value Connection::cancel(const Napi::CallbackInfo& info) {
  queue_.cancel(uint_argument(info, 0));
  return info.Env().Undefined();
}

Napi::Value Connection::close(const Napi::CallbackInfo& info) {
  queue_.cancel_all();
  channel_.reset();
  return info.Env().Undefined();
}

}  // namespace nftjs
