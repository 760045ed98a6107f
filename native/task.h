#pragma once

#include <napi.h>

#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <memory>

namespace nftjs {

/** Makes the JavaScript value of a result, on the environment's own thread. */
using Convert = std::function<Napi::Value(Napi::Env)>;

/** Does what may block, on any thread, and never touches JavaScript; gives up when the flag is set. */
using Work = std::function<Convert(const std::atomic<bool>& cancelled)>;

/** A C++ exception as a JavaScript error with `code` or `errno`, `syscall` and `offset`. */
Napi::Error to_error(Napi::Env env, std::exception_ptr failure);

/** Runs `work` on this thread, throwing JavaScript errors. */
Napi::Value run_now(Napi::Env env, const Work& work);

/**
 * Runs tasks off the event loop, one after the other. All members are for the environment's thread.
 */
class TaskQueue {
 public:
  /** @param idle called when the last task has ended */
  TaskQueue(Napi::Env env, std::function<void()> idle);
  TaskQueue(const TaskQueue&) = delete;
  ~TaskQueue();

  /** Appends a task; `id` is what cancel() knows it by. */
  Napi::Promise add(uint32_t id, Work work);

  /** Has a task rejected, as soon as it notices. */
  void cancel(uint32_t id);
  void cancel_all();

  bool empty() const { return tasks_.empty(); }

 private:
  struct Task;

  void start();
  static void execute(napi_env env, void* data);
  static void complete(napi_env env, napi_status status, void* data);

  Napi::Env env_;
  std::function<void()> idle_;
  /** The first one runs, the others wait. */
  std::deque<std::unique_ptr<Task>> tasks_;
};

}  // namespace nftjs
