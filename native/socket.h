#pragma once

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "buffer.h"

namespace nftjs {

/** A netlink socket, which stays in the network namespace it was made in. */
class Socket {
 public:
  /** The most bytes one receive() can take: the kernel's messages to a reader of 32 KiB and more. */
  static constexpr size_t kReceiveRoom = 64 * 1024;

  /**
   * Opens a NETLINK_NETFILTER socket in the caller's network namespace, or, where `netns` is not empty, in
   * the one that this path (/run/netns/NAME, /proc/PID/ns/net) stands for.
   *
   * @param receive_buffer bytes the kernel may queue for us; lowered to net.core.rmem_max without privileges
   */
  static std::unique_ptr<Socket> open(const std::string& netns, int receive_buffer);

  /**
   * Another socket in the network namespace of this one, with a receive buffer as large unless one is given.
   *
   * @param protocol NETLINK_NETFILTER or NETLINK_ROUTE
   */
  std::unique_ptr<Socket> sibling(std::optional<int> receive_buffer = std::nullopt,
                                  int protocol = NETLINK_NETFILTER) const;

  /**
   * Has the kernel send what it tells a group (NFNLGRP_* of linux/netfilter/nfnetlink.h, RTNLGRP_* of
   * linux/rtnetlink.h).
   *
   * @throws SystemError EPERM without CAP_NET_ADMIN, which NETLINK_ROUTE does not ask for
   */
  void subscribe(int group);

  /** Has the kernel heed filters in requests of dumps; one that is older than Linux 4.20 goes without. */
  void check_strictly();

  /** For polling alone. */
  int descriptor() const { return mnl_socket_get_fd(socket_.get()); }

  /** Runs `work` in the network namespace of this socket. */
  void in_its_namespace(const std::function<void()>& work) const;

  /** The address that the kernel answers to. */
  uint32_t port() const { return mnl_socket_get_portid(socket_.get()); }

  /** The sequence number of the next message; numbers wrap around. */
  uint32_t next_sequence() const { return sequence_; }

  /** Marks `count` sequence numbers as used. */
  void use_sequence(uint32_t count) { sequence_ += count; }

  /**
   * Sends one datagram. The kernel has processed it when this returns.
   *
   * @throws SystemError
   */
  void send(const void* data, size_t size);

  /**
   * Appends one datagram, if there is one, to `buffer` and returns its size, or 0 when nothing waits.
   *
   * @throws SystemError ENOBUFS: messages were lost
   */
  size_t receive(Buffer& buffer);

 private:
  struct Close {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
  };
  using Handle = std::unique_ptr<mnl_socket, Close>;

  Socket(Handle socket, int receive_buffer);
  static Handle make(int protocol, int receive_buffer);
  size_t send_buffer() const;
  void reserve_send_buffer(size_t size);

  Handle socket_;
  int receive_buffer_;
  size_t send_limit_;
  uint32_t sequence_ = 1;
};

}  // namespace nftjs
