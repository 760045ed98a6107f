#pragma once

#include "buffer.h"
#include "socket.h"
#include "span.h"

namespace nftjs {

/**
 * Sends requests of rtnetlink (links, routes …), whole messages one behind the other, in the namespace of
 * `socket`, and appends all that the kernel answers: what it dumps, and its reports (NLMSG_ERROR, NLMSG_DONE)
 * with their extended acknowledgement.
 *
 * The socket lives for one call. It checks dump requests strictly, so that the kernel filters where it can
 * (Linux 4.20), and the asker has to where it cannot.
 *
 * @throws SystemError ENOBUFS: reports were lost, and what became of the requests is not known
 */
void ask_rtnetlink(const Socket& socket, Span requests, Buffer& answer);

}  // namespace nftjs
