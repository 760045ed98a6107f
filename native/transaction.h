#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch.h"
#include "buffer.h"
#include "socket.h"

namespace nftjs {

/** Why the kernel refused, and which part of the transaction. */
struct Failure {
  int code;
  std::string text;
  Place place;
};

/** A message of the kernel about an object that it made. */
struct Echo {
  uint32_t operation;
  uint32_t start;
  uint32_t length;
};

/** What became of a transaction. */
struct Outcome {
  enum class Status { kChecked, kCommitted, kRefused, kUnknown };

  Status status = Status::kUnknown;
  /** The generation that the commit began. */
  std::optional<uint32_t> generation;
  std::vector<Failure> failures;
  /** The echoes' messages. */
  Buffer echoed;
  std::vector<Echo> echoes;
  /** The receive buffer overflowed: there are more failures or echoes than these. */
  bool lost = false;
  uint32_t messages = 0;
  size_t bytes = 0;
};

/** Memory that one transaction after the other uses. */
struct Storage {
  Buffer batch, datagram;
};

/**
 * Sends a program as one batch and finds out what became of it.
 *
 * The kernel works a batch off inside of sendto(): when that returns, all that it has to say is queued.
 *
 * @throws ProgramError, SystemError: nothing was sent
 */
Outcome transact(Socket& socket, Span program, Storage& storage);

/** The same for a batch. */
Outcome transact(Socket& socket, Batch& batch, Storage& storage);

}  // namespace nftjs
