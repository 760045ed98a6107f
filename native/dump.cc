#include "dump.h"

#include <libnftnl/common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstring>
#include <limits>

#include "errors.h"
#include "messages.h"

namespace nftjs {

Dump::Dump(Socket& socket, const Request& request) : socket_(socket), sequence_(socket.next_sequence()) {
  Buffer bytes;
  char* room = reinterpret_cast<char*>(
      bytes.room(MNL_NLMSG_HDRLEN + sizeof(nfgenmsg) + MNL_ALIGN(request.attributes.size())));
  // A single object's answer has no end of its own; the acknowledgement is its end.
  const bool all = (request.flags & NLM_F_DUMP) == NLM_F_DUMP;
  nlmsghdr* message = nftnl_nlmsg_build_hdr(room, request.type, request.family,
                                            request.flags | (all ? 0 : NLM_F_ACK), sequence_);
  if (!request.attributes.empty()) {
    std::memcpy(mnl_nlmsg_get_payload_tail(message), request.attributes.data(), request.attributes.size());
    message->nlmsg_len += static_cast<uint32_t>(request.attributes.size());
  }
  socket.use_sequence(1);
  socket.send(message, message->nlmsg_len);
}

void Dump::read(Buffer& buffer, size_t limit, const std::atomic<bool>& cancelled) {
  while (!done_ && buffer.size() < limit) {
    if (cancelled) throw Cancelled();
    receive(buffer);
  }
}

void Dump::receive(Buffer& buffer) {
  const size_t start = buffer.size();
  const size_t size = socket_.receive(buffer);
  if (size == 0) throw SystemError("recvfrom", ENOBUFS, "the kernel's answer ended early");
  uint8_t* datagram = buffer.data() + start;
  Report report;
  size_t kept = 0;
  each_message(datagram, size, [&](const nlmsghdr* message) {
    if (done_ || message->nlmsg_seq != sequence_) return;
    if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
    if (is_report(message)) {
      report = read_report(message);
      done_ = true;
    } else if (message->nlmsg_type >= NLMSG_MIN_TYPE) {
      const size_t length = MNL_ALIGN(message->nlmsg_len);
      std::memmove(datagram + kept, message, length);
      kept += length;
    }
  });
  buffer.truncate(start + kept);
  if (report.code == EINTR) {
    interrupted_ = true;
  } else if (report.code != 0) {
    throw Refused(report);
  }
}

void Dump::finish() noexcept {
  try {
    Buffer dropped;
    while (!done_) {
      dropped.truncate(0);
      receive(dropped);
    }
  } catch (const std::exception&) {
    // Nobody waits for this answer any more, whatever its end.
  }
}

uint32_t generation(Socket& socket) {
  const std::atomic<bool> never{false};
  Buffer answer;
  Dump dump(socket, Request{NFT_MSG_GETGEN, 0, 0, {}});
  dump.read(answer, std::numeric_limits<size_t>::max(), never);
  std::optional<uint32_t> found;
  each_message(answer.data(), answer.size(),
               [&](const nlmsghdr* message) { found = read_generation(message); });
  if (!found) throw SystemError("netlink", EPROTO, "the kernel did not tell its generation");
  return *found;
}

}  // namespace nftjs
