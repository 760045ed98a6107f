#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>

#include "buffer.h"

namespace nftjs {

/** What a caller in JavaScript did wrong. */
Napi::Error bad_argument(Napi::Env env, const char* what);

/** @throws Napi::Error when the argument is no number */
uint32_t uint_argument(const Napi::CallbackInfo& info, size_t index);

/** @throws Napi::Error when the argument is no Uint8Array */
Napi::Uint8Array bytes_argument(const Napi::CallbackInfo& info, size_t index);

/** A number of bytes; Infinity stands for no limit. */
size_t limit_argument(const Napi::CallbackInfo& info, size_t index);

/** Hands the bytes over to JavaScript without a copy. */
Napi::Value give(Napi::Env env, Buffer& buffer);

}  // namespace nftjs
