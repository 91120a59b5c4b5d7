import { Command, InvalidArgumentError } from "commander";
import { readMessage } from "../../functions/core/work-queue/message.ts";
import type { Work } from "../../functions/core/work-queue/work.ts";
import type { DeadLetter } from "./dead-letters.ts";
import { isoTime, printMany, printOne } from "./print.ts";
import { openTarget, UsageProblem } from "./target.ts";

const DEFAULT_LIMIT = 50;

export function deadLettersCommand(): Command {
  const deadLetters = new Command("dead-letters").description(
    "Dead letters: messages of the work queue that failed repeatedly",
  );

  deadLetters
    .command("list")
    .option("--limit <number>", "most messages to show", wholeNumber, DEFAULT_LIMIT)
    .description("shows the work of each message and how often it was tried; the messages stay in the queue")
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const target = await openTarget(command);
      const shown = await target.deadLetters.look(limit);
      printMany(command, shown.map(row));
      if (shown.length < limit) return;
      const count = await target.deadLetters.count();
      if (count > shown.length) console.error(`There are about ${count}: --limit ${count} shows them.`);
    });

  deadLetters
    .command("redrive")
    .option("--yes", "do it")
    .description("moves all messages back to the work queue, to be tried again; without --yes it only counts")
    .action(async ({ yes }: { yes?: boolean }, command: Command) => {
      const target = await openTarget(command);
      const found = await target.deadLetters.count();
      if (yes !== true) {
        printOne(command, { found, moved: 0 });
        console.error("Nothing was moved: add --yes to do it.");
        return;
      }
      if (found === 0) return printOne(command, { found, moved: 0 });
      const { status, moved, reason } = await target.deadLetters.redrive();
      printOne(command, { found, moved });
      if (status === "RUNNING")
        console.error("SQS is still moving them; `dead-letters list` shows what is left.");
      else if (status !== "COMPLETED") {
        throw new UsageProblem(
          `SQS ended the redrive with ${status}${reason === undefined ? "" : ` (${reason})`}; dead-letters list shows what is left`,
        );
      }
    });

  deadLetters
    .command("purge")
    .argument("<message id...>", "as `dead-letters list` shows them")
    .description("deletes single messages; if a grant is due, the sweep enqueues it again nevertheless")
    .action(async (ids: string[], _options, command: Command) => {
      const target = await openTarget(command);
      const removed = await target.deadLetters.remove(ids);
      printOne(command, { purged: removed.length });
      const unknown = ids.filter((id) => !removed.includes(id));
      if (unknown.length > 0) throw new UsageProblem(`there is no message ${unknown.join(", ")}`);
    });
  return deadLetters;
}

function row({ id, body, sentAt, received }: DeadLetter) {
  // Shows nothing else of a message that is not Linkspan's.
  let what: { kind: string; about: string; cause: string };
  try {
    what = whatFor(readMessage(body));
  } catch {
    what = { kind: "unreadable", about: "", cause: "" };
  }
  return { id, ...what, received, sent: isoTime(sentAt), age: ageOf(sentAt) };
}

function whatFor(work: Work): { kind: string; about: string; cause: string } {
  const { kind } = work;
  switch (kind) {
    case "rescue":
      return { kind, about: work.key, cause: kind };
    case "event":
      return { kind, about: String(work.event.instanceId), cause: work.event.name };
    case "suspension":
      return { kind, about: work.userId, cause: kind };
    case "refresh":
      return { kind, about: String(work.instanceId), cause: work.cause };
    case "delete":
      // The same kind as in the message; operators' scripts may rely on it.
      return { kind: "refresh", about: String(work.instanceId), cause: kind };
    case "pending":
      return { kind, about: String(work.instanceId), cause: kind };
  }
}

/** Age of a message by this machine's clock; only for display. */
function ageOf(sentAt: number): string {
  const minutes = Math.max(0, Math.round((Date.now() - sentAt) / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2 * 1440 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} d`;
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text))
    throw new InvalidArgumentError("It must be a whole number from 1 to 99999.");
  return Number(text);
}
