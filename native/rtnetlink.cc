#include "rtnetlink.h"

#include <linux/netlink.h>

namespace nftjs {
namespace {

/** Holds the reports of some thousand requests. */
constexpr int kReceiveBuffer = 4 << 20;

}  // namespace

void ask_rtnetlink(const Socket& socket, Span requests, Buffer& answer) {
  const std::unique_ptr<Socket> route = socket.sibling(kReceiveBuffer, NETLINK_ROUTE);
  route->check_strictly();
  route->send(requests.data(), requests.size());
  while (route->receive(answer) > 0) continue;
}

}  // namespace nftjs
