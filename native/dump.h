#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "buffer.h"
#include "socket.h"

namespace nftjs {

/** A question to nf_tables. */
struct Request {
  /** NFT_MSG_GET*. */
  uint8_t type;
  uint8_t family;
  /** With NLM_F_DUMP the kernel answers with all objects, without with the one that the attributes name. */
  uint16_t flags;
  std::vector<uint8_t> attributes;
};

/** Receives the answer to one request, whole or in pieces. */
class Dump {
 public:
  /** Sends the request. */
  Dump(Socket& socket, const Request& request);

  /** Whether the answer is complete. */
  bool done() const { return done_; }

  /** The kernel's tables changed while it answered: the answer is torn. */
  bool interrupted() const { return interrupted_; }

  /**
   * Appends messages of the answer until it is complete or `buffer` holds at least `limit` bytes.
   *
   * @throws Refused, SystemError, Cancelled
   */
  void read(Buffer& buffer, size_t limit, const std::atomic<bool>& cancelled);

  /** Receives the rest of the answer and drops it, so that the socket is free for other requests. */
  void finish() noexcept;

 private:
  void receive(Buffer& buffer);

  Socket& socket_;
  uint32_t sequence_;
  bool done_ = false;
  bool interrupted_ = false;
};

/** The generation of the ruleset. */
uint32_t generation(Socket& socket);

}  // namespace nftjs
