#include "messages.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstring>

namespace nftjs {
namespace {

void read_extended(const nlmsghdr* message, size_t offset, Report& report) {
  if (offset > mnl_nlmsg_get_payload_len(message)) return;
  const nlattr* attribute;
  for (attribute = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(message, offset));
       mnl_attr_ok(attribute, static_cast<int>(static_cast<const char*>(mnl_nlmsg_get_payload_tail(message)) -
                                               reinterpret_cast<const char*>(attribute)));
       attribute = mnl_attr_next(attribute)) {
    const auto* value = static_cast<const char*>(mnl_attr_get_payload(attribute));
    const size_t length = mnl_attr_get_payload_len(attribute);
    switch (mnl_attr_get_type(attribute)) {
      case NLMSGERR_ATTR_MSG:
        report.text.assign(value, strnlen(value, length));
        break;
      case NLMSGERR_ATTR_OFFS:
        if (length >= sizeof(uint32_t)) report.offset = mnl_attr_get_u32(attribute);
        break;
    }
  }
}

}  // namespace

bool is_report(const nlmsghdr* message) {
  return message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE;
}

Report read_report(const nlmsghdr* message) {
  Report report;
  const size_t length = mnl_nlmsg_get_payload_len(message);
  if (length < sizeof(int)) return report;
  int error;
  std::memcpy(&error, mnl_nlmsg_get_payload(message), sizeof error);
  report.code = error < 0 ? -error : error;
  if ((message->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return report;
  size_t offset = sizeof(int);
  if (message->nlmsg_type == NLMSG_ERROR) {
    if (length < sizeof(nlmsgerr)) return report;
    offset = sizeof(nlmsgerr);
    if ((message->nlmsg_flags & NLM_F_CAPPED) == 0) {
      const auto* copy = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message));
      offset = sizeof(int) + MNL_ALIGN(copy->msg.nlmsg_len);
    }
  }
  read_extended(message, offset, report);
  return report;
}

std::optional<uint32_t> read_generation(const nlmsghdr* message) {
  if (message->nlmsg_type != ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN)) return std::nullopt;
  const nlattr* attribute;
  for (attribute = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(message, sizeof(nfgenmsg)));
       mnl_attr_ok(attribute, static_cast<int>(static_cast<const char*>(mnl_nlmsg_get_payload_tail(message)) -
                                               reinterpret_cast<const char*>(attribute)));
       attribute = mnl_attr_next(attribute)) {
    if (mnl_attr_get_type(attribute) == NFTA_GEN_ID && mnl_attr_get_payload_len(attribute) == 4) {
      return ntohl(mnl_attr_get_u32(attribute));
    }
  }
  return std::nullopt;
}

}  // namespace nftjs
