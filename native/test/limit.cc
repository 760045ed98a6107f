// The kernel's own time for a transaction: its batch, built beforehand, is only sent, and the answer thrown
// away.

#include <libmnl/libmnl.h>
#include <napi.h>

#include <cerrno>
#include <string>

#include "../batch.h"
#include "../errors.h"
#include "../messages.h"
#include "../socket.h"

namespace {

using nftjs::Batch;
using nftjs::Buffer;
using nftjs::ProgramReader;
using nftjs::Socket;
using nftjs::Span;

constexpr int kReceiveBuffer = 32 << 20;

Batch batch_of(const Napi::Uint8Array& program) {
  Batch batch(ProgramReader(Span(program.Data(), program.ByteLength())));
  batch.number(1);
  return batch;
}

/** `new Limit(program)`, then `run()` again and again, or `start()` for a promise. */
class Limit : public Napi::ObjectWrap<Limit> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Limit",
                       {InstanceMethod<&Limit::run>("run"), InstanceMethod<&Limit::start>("start")});
  }

  explicit Limit(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Limit>(info),
        socket_(Socket::open("", kReceiveBuffer)),
        batch_(batch_of(info[0].As<Napi::Uint8Array>())) {}

 private:
  class Worker : public Napi::AsyncWorker {
   public:
    Worker(Napi::Env env, Limit& limit) : AsyncWorker(env), limit_(limit), deferred_(env) { limit.Ref(); }
    Napi::Promise promise() const { return deferred_.Promise(); }

   protected:
    void Execute() override { limit_.send(); }
    void OnOK() override { deferred_.Resolve(Env().Undefined()), limit_.Unref(); }
    void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()), limit_.Unref(); }

   private:
    Limit& limit_;
    Napi::Promise::Deferred deferred_;
  };

  void send() {
    socket_->send(batch_.bytes().data(), batch_.bytes().size());
    int code = 0;
    try {
      for (;;) {
        answer_.truncate(0);
        const size_t size = socket_->receive(answer_);
        if (size == 0) break;
        nftjs::each_message(answer_.data(), size, [&](const nlmsghdr* message) {
          if (code == 0 && message->nlmsg_type == NLMSG_ERROR) code = nftjs::read_report(message).code;
        });
      }
    } catch (const nftjs::SystemError& error) {
      if (error.code() != ENOBUFS) throw;
    }
    if (code != 0) throw std::runtime_error("refused with errno " + std::to_string(code));
  }

  void run(const Napi::CallbackInfo& info) {
    try {
      send();
    } catch (const std::exception& error) {
      throw Napi::Error::New(info.Env(), error.what());
    }
  }

  Napi::Value start(const Napi::CallbackInfo& info) {
    auto* worker = new Worker(info.Env(), *this);
    worker->Queue();
    return worker->promise();
  }

  std::unique_ptr<Socket> socket_;
  Batch batch_;
  Buffer answer_;
};

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("Limit", Limit::define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(limit, init)
