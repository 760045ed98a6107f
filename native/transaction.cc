#include "transaction.h"

#include <linux/netfilter/nfnetlink.h>

#include <cerrno>

#include "dump.h"
#include "errors.h"
#include "messages.h"

namespace nftjs {
namespace {

void take(const nlmsghdr* message, const Batch& batch, Outcome& outcome) {
  // An answer to an earlier request.
  if (!batch.contains(message->nlmsg_seq)) return;
  if (message->nlmsg_type == NLMSG_ERROR) {
    Report report = read_report(message);
    if (report.code == 0 || (batch.repeats(message->nlmsg_seq) && !outcome.failures.empty())) return;
    outcome.failures.push_back(
        {report.code, std::move(report.text), batch.place(message->nlmsg_seq, report.offset)});
    return;
  }
  if (const auto generation = read_generation(message)) {
    outcome.generation = generation;
    return;
  }
  const auto operation = batch.echoed(message->nlmsg_seq);
  if (!operation || NFNL_SUBSYS_ID(message->nlmsg_type) != NFNL_SUBSYS_NFTABLES) return;
  const auto start = static_cast<uint32_t>(outcome.echoed.size());
  const uint32_t length = MNL_ALIGN(message->nlmsg_len);
  std::memcpy(outcome.echoed.extend(length), message, message->nlmsg_len);
  outcome.echoes.push_back({*operation, start, message->nlmsg_len});
}

/** Takes all that is queued; returns whether some of it was lost. */
bool collect(Socket& socket, Buffer& datagram, const Batch& batch, Outcome& outcome) {
  bool lost = false;
  for (;;) {
    datagram.truncate(0);
    try {
      const size_t size = socket.receive(datagram);
      if (size == 0) return lost;
      each_message(datagram.data(), size, [&](const nlmsghdr* message) { take(message, batch, outcome); });
      // Nothing follows it but acknowledgements that were asked for.
      if (outcome.generation && !batch.acknowledged()) return lost;
    } catch (const SystemError& error) {
      if (error.code() != ENOBUFS) throw;
      lost = true;
    }
  }
}

/**
 * The kernel announces the new generation on commit (and echoes before it), and reports what it refuses; the
 * first message into the empty queue always fits. So only when nothing at all arrived although something was
 * lost, the generation has to tell.
 */
Outcome::Status judge(Socket& socket, const Batch& batch, const Outcome& outcome) {
  if (!outcome.failures.empty()) return Outcome::Status::kRefused;
  if (!batch.commits()) return outcome.lost ? Outcome::Status::kUnknown : Outcome::Status::kChecked;
  if (outcome.generation || !outcome.echoes.empty() || !outcome.lost) return Outcome::Status::kCommitted;
  const uint32_t before = batch.generation();
  return before != 0 && generation(socket) == before ? Outcome::Status::kRefused : Outcome::Status::kUnknown;
}

/** What is kept from one transaction to the next: more would be held for long, for the sake of a rare one. */
constexpr size_t kKept = 1 << 20;

}  // namespace

Outcome transact(Socket& socket, Span program, Storage& storage) {
  Batch batch(ProgramReader(program), std::move(storage.batch));
  Outcome outcome = transact(socket, batch, storage);
  storage.batch = batch.take_bytes();
  if (storage.batch.capacity() > kKept) storage.batch = Buffer();
  return outcome;
}

Outcome transact(Socket& socket, Batch& batch, Storage& storage) {
  batch.number(socket.next_sequence());
  socket.use_sequence(batch.count());

  Outcome outcome;
  outcome.messages = batch.count();
  outcome.bytes = batch.bytes().size();
  socket.send(batch.bytes().data(), batch.bytes().size());
  outcome.lost = collect(socket, storage.datagram, batch, outcome);
  outcome.status = judge(socket, batch, outcome);
  // Where nothing had to be changed, no generation began: it is the one that the batch met.
  if (outcome.status == Outcome::Status::kCommitted && !outcome.generation) {
    const uint32_t untold = outcome.lost ? 0 : batch.untold_generation();
    outcome.generation = untold != 0 ? untold : generation(socket);
  }
  return outcome;
}

}  // namespace nftjs
