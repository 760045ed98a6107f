#pragma once

#include "buffer.h"
#include "socket.h"

namespace nftjs {

/**
 * Appends the RTM_NEWLINK messages of all network interfaces in the namespace of `socket`: netdev chains can
 * only be hooked to interfaces that exist, and nf_tables itself does not tell which do.
 *
 * @throws SystemError, Refused
 */
void read_links(const Socket& socket, Buffer& buffer);

}  // namespace nftjs
