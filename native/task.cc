#include "task.h"

#include <new>

#include "errors.h"
#include "messages.h"

namespace nftjs {

struct TaskQueue::Task {
  TaskQueue& queue;
  uint32_t id;
  Work work;
  Napi::Promise::Deferred deferred;
  /** Tells the work to stop waiting. */
  std::atomic<bool> cancelled{false};
  /** Not to be begun any more. */
  std::atomic<bool> withdrawn{false};
  napi_async_work handle = nullptr;
  Convert convert;
  std::exception_ptr failure;

  Task(TaskQueue& owner, uint32_t number, Work what)
      : queue(owner), id(number), work(std::move(what)), deferred(owner.env_) {}
  ~Task() {
    if (handle != nullptr) napi_delete_async_work(queue.env_, handle);
  }

  /** Settles the promise; false when the environment runs no JavaScript any more. */
  bool settle() {
    try {
      const Napi::HandleScope scope(queue.env_);
      try {
        if (failure) std::rethrow_exception(failure);
        deferred.Resolve(convert(queue.env_));
      } catch (const Napi::Error& error) {
        deferred.Reject(error.Value());
      } catch (...) {
        deferred.Reject(to_error(queue.env_, std::current_exception()).Value());
      }
      return true;
    } catch (const Napi::Error&) {
      return false;
    }
  }
};

namespace {

Napi::Error system_error(Napi::Env env, const char* what, int code, const std::string& syscall) {
  Napi::Error error = Napi::Error::New(env, what);
  error.Set("errno", Napi::Number::New(env, code));
  error.Set("syscall", Napi::String::New(env, syscall));
  return error;
}

}  // namespace

Napi::Error to_error(Napi::Env env, std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Refused& refused) {
    Napi::Error error = system_error(env, refused.what(), refused.code(), refused.syscall());
    if (refused.offset()) error.Set("offset", Napi::Number::New(env, *refused.offset()));
    return error;
  } catch (const SystemError& failed) {
    return system_error(env, failed.what(), failed.code(), failed.syscall());
  } catch (const ProgramError& corrupt) {
    Napi::Error error = Napi::Error::New(env, corrupt.what());
    error.Set("code", Napi::String::New(env, "ERR_NFTJS_PROGRAM"));
    return error;
  } catch (const Cancelled& cancelled) {
    Napi::Error error = Napi::Error::New(env, cancelled.what());
    error.Set("code", Napi::String::New(env, "ABORT_ERR"));
    return error;
  } catch (const std::bad_alloc&) {
    return system_error(env, "", ENOMEM, "malloc");
  } catch (const std::exception& other) {
    return Napi::Error::New(env, other.what());
  }
}

Napi::Value run_now(Napi::Env env, const Work& work) {
  const std::atomic<bool> never{false};
  try {
    return work(never)(env);
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_error(env, std::current_exception());
  }
}

TaskQueue::TaskQueue(Napi::Env env, std::function<void()> idle) : env_(env), idle_(std::move(idle)) {}

TaskQueue::~TaskQueue() = default;

Napi::Promise TaskQueue::add(uint32_t id, Work work) {
  tasks_.push_back(std::make_unique<Task>(*this, id, std::move(work)));
  const Napi::Promise promise = tasks_.back()->deferred.Promise();
  if (tasks_.size() == 1) start();
  return promise;
}

void TaskQueue::cancel(uint32_t id) {
  for (auto& task : tasks_) {
    if (task->id == id) task->withdrawn = task->cancelled = true;
  }
}

void TaskQueue::cancel_all() {
  // The first is with the pool: whether a thread has begun it must not decide whether it is carried out.
  for (auto& task : tasks_) {
    task->cancelled = true;
    if (task != tasks_.front()) task->withdrawn = true;
  }
}

void TaskQueue::start() {
  Task* task = tasks_.front().get();
  napi_status status = napi_create_async_work(env_, nullptr, Napi::String::New(env_, "nftjs"), execute,
                                              complete, task, &task->handle);
  if (status == napi_ok) status = napi_queue_async_work(env_, task->handle);
  if (status != napi_ok) {
    tasks_.pop_front();
    throw Napi::Error::New(env_);
  }
}

void TaskQueue::execute(napi_env, void* data) {
  Task* task = static_cast<Task*>(data);
  try {
    if (task->withdrawn) throw Cancelled();
    task->convert = task->work(task->cancelled);
  } catch (...) {
    task->failure = std::current_exception();
  }
}

void TaskQueue::complete(napi_env, napi_status status, void* data) {
  TaskQueue& queue = static_cast<Task*>(data)->queue;
  const std::unique_ptr<Task> task = std::move(queue.tasks_.front());
  queue.tasks_.pop_front();
  const bool alive = status != napi_cancelled && task->settle();
  if (!alive) queue.tasks_.clear();
  if (queue.tasks_.empty()) {
    queue.idle_();
  } else {
    queue.start();
  }
}

}  // namespace nftjs
