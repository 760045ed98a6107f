#pragma once

#include <napi.h>

namespace nftjs {

/**
 * `notify(address, state)`: one datagram to the Unix socket at `address`, a path or, after an @, an abstract
 * name. It does not wait: a reader that is so far behind counts as an error.
 *
 * @throws the error of the system call
 */
Napi::Value notify(const Napi::CallbackInfo& info);

}  // namespace nftjs
