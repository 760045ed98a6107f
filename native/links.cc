#include "links.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <memory>

#include "errors.h"
#include "messages.h"

namespace nftjs {
namespace {

struct Close {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};

constexpr size_t kReceiveRoom = 64 * 1024;
constexpr uint32_t kSequence = 1;

/** Appends the answer's messages; whether that was the last datagram of it. */
bool receive(mnl_socket* socket, Buffer& buffer) {
  const size_t start = buffer.size();
  uint8_t* room = buffer.room(kReceiveRoom);
  ssize_t size;
  do {
    size = mnl_socket_recvfrom(socket, room, kReceiveRoom);
  } while (size < 0 && errno == EINTR);
  if (size < 0) throw SystemError("recvfrom", errno);
  Report report;
  bool done = false;
  size_t kept = 0;
  each_message(room, static_cast<size_t>(size), [&](const nlmsghdr* message) {
    if (is_report(message)) {
      report = read_report(message);
      done = true;
    } else if (message->nlmsg_type == RTM_NEWLINK && message->nlmsg_seq == kSequence) {
      const size_t length = MNL_ALIGN(message->nlmsg_len);
      std::memmove(room + kept, message, length);
      kept += length;
    }
  });
  buffer.truncate(start);
  buffer.commit(kept);
  if (report.code != 0) throw Refused(report);
  return done;
}

}  // namespace

void read_links(const Socket& socket, Buffer& buffer) {
  std::unique_ptr<mnl_socket, Close> route;
  socket.in_its_namespace([&] {
    route.reset(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
    if (!route) throw SystemError("socket", errno);
  });
  if (mnl_socket_bind(route.get(), 0, MNL_SOCKET_AUTOPID) != 0) throw SystemError("bind", errno);
  alignas(nlmsghdr) uint8_t request[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(ifinfomsg))];
  nlmsghdr* message = mnl_nlmsg_put_header(request);
  message->nlmsg_type = RTM_GETLINK;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message->nlmsg_seq = kSequence;
  mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg));
  if (mnl_socket_sendto(route.get(), message, message->nlmsg_len) < 0) throw SystemError("sendto", errno);
  while (!receive(route.get(), buffer)) continue;
}

}  // namespace nftjs
