import { type Answer, contentAnswer } from "../http/answer.ts";
import type { VendorRequest } from "../http/request.ts";
import type { KitAccount, KitNode } from "./account.ts";
import type { Kit } from "./start-vendor.ts";

interface Ticket {
  readonly login: string;
  readonly item: string;
  readonly version: string;
  readonly until: number;
}

/** The part of a URL that lets everybody download one version of a file for a time, in this run. */
export function downloadTicket<Own>(
  kit: Kit<Own>,
  account: KitAccount<Own>,
  node: KitNode<Own>,
  versionId: string,
  lifetimeMs: number,
): string {
  const until = kit.now() + lifetimeMs;
  const ticket: Ticket = { login: account.login, item: node.id, version: versionId, until };
  return kit.tokens.seal(ticket);
}

/** The bytes of a ticket, or a part of them (`Range`). @returns undefined: not a ticket, or its time is over */
export function ticketAnswer<Own>(kit: Kit<Own>, request: VendorRequest, text: string): Answer | undefined {
  const ticket = kit.tokens.open<Ticket>(text);
  if (ticket === undefined || ticket.until <= kit.now()) return undefined;
  const node = kit.accounts.find(ticket.login)?.tree.get(ticket.item);
  const revision = node?.revisions.find(({ id }) => id === ticket.version);
  if (node === undefined || revision === undefined) return undefined;
  request.note({ account: ticket.login });
  return contentAnswer(revision.content, request.header("range"), {
    "Content-Type": revision.mediaType,
    "Content-Disposition": `attachment;filename*=UTF-8''${encodeURIComponent(node.name)}`,
  });
}
