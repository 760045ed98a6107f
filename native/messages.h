#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <optional>
#include <string>

#include "errors.h"

namespace nftjs {

/** What the kernel says about a request that it refused. */
struct Report {
  /** The errno, positive; 0 acknowledges success. */
  int code = 0;
  /** The extended acknowledgement's text, often empty. */
  std::string text;
  /** The attribute it speaks of, from the request's header on. */
  std::optional<uint32_t> offset;
};

/** The kernel refused a request. */
class Refused : public SystemError {
 public:
  explicit Refused(const Report& report)
      : SystemError("netlink", report.code, report.text), offset_(report.offset) {}

  /** The attribute it speaks of, from the request's header on. */
  const std::optional<uint32_t>& offset() const { return offset_; }

 private:
  std::optional<uint32_t> offset_;
};

/** Whether the message ends an answer: NLMSG_ERROR or NLMSG_DONE. */
bool is_report(const nlmsghdr* message);

/** Reads NLMSG_ERROR or NLMSG_DONE with its extended acknowledgement (NETLINK_EXT_ACK, NETLINK_CAP_ACK). */
Report read_report(const nlmsghdr* message);

/** The generation that NFT_MSG_NEWGEN announces; nothing when the message is another one. */
std::optional<uint32_t> read_generation(const nlmsghdr* message);

/** Calls `visit` with each message of a datagram. */
template <typename Visit>
void each_message(const uint8_t* data, size_t size, Visit visit) {
  auto* message = reinterpret_cast<const nlmsghdr*>(data);
  int rest = static_cast<int>(size);
  while (mnl_nlmsg_ok(message, rest)) {
    visit(message);
    message = mnl_nlmsg_next(message, &rest);
  }
}

}  // namespace nftjs
