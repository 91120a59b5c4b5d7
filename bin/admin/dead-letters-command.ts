import { Command, InvalidArgumentError } from "commander";
import { readMessage } from "../../functions/core/work-queue/message.ts";
import type { Work } from "../../functions/core/work-queue/work.ts";
import type { DeadLetter } from "./dead-letters.ts";
import { isoTime, printMany, printOne } from "./print.ts";
import { openTarget, UsageProblem } from "./target.ts";

const DEFAULT_LIMIT = 50;

export function deadLettersCommand(): Command {
  const deadLetters = new Command("dead-letters").description(
    "Messages of the work queue that failed again and again and were put aside",
  );

  deadLetters
    .command("list")
    .option("--limit <number>", "show no more than so many", wholeNumber, DEFAULT_LIMIT)
    .description("shows what each was for and how often it was tried; they stay where they are")
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
    .description("moves them back to the work queue, to be tried again; without --yes it only counts")
    .action(async ({ yes }: { yes?: boolean }, command: Command) => {
      const target = await openTarget(command);
      const found = await target.deadLetters.count();
      if (yes !== true) {
        printOne(command, { found, moved: 0 });
        console.error("Nothing was moved: say --yes to do it.");
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
    .description("deletes single messages; a grant that is due is queued again all the same")
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
  // Whatever else stands in a message that is none of ours is not shown.
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
      // As its message has it, and as scripts of operators know it.
      return { kind: "refresh", about: String(work.instanceId), cause: kind };
    case "pending":
      return { kind, about: String(work.instanceId), cause: kind };
  }
}

/** By this machine's clock, and only to be looked at. */
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
