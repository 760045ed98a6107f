#pragma once

#include <napi.h>

#include <functional>

namespace nftjs {

/**
 * Tells, on the environment's own loop, when a descriptor can be read. All of it is for the environment's
 * thread.
 */
class Readable {
 public:
  /**
   * @param ready called by the loop, outside of any JavaScript, as long as this is started
   * @param ended called when the environment ends: this never becomes ready again
   * @throws SystemError
   */
  Readable(Napi::Env env, int descriptor, std::function<void()> ready, std::function<void()> ended);
  Readable(const Readable&) = delete;
  ~Readable();

  void start();
  void stop();

  /** Whether the loop goes on for this alone while it is started; it does from the beginning. */
  void hold(bool holds);

 private:
  struct Watch;

  /** Belongs to the loop, which may let go of it later than we do; null once the environment ends. */
  Watch* watch_;
  std::function<void()> ready_;
  std::function<void()> ended_;
};

}  // namespace nftjs
