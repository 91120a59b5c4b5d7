import { html } from "hono/html";
import { type Answer, contentAnswer, htmlAnswer } from "../http/answer.ts";
import type { VendorRequest } from "../http/request.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import { brand, errorPage, page } from "../page.ts";
import { googleRules } from "./authorization-rules.ts";
import { type DriveAccount, type DriveNode, isGoogleType } from "./drive-account.ts";
import type { DriveAccounts } from "./drive-accounts.ts";
import { EXPORT_TYPES } from "./file-resource.ts";
import { exported } from "./read-calls.ts";

/**
 * The pages of `webViewLink`, `webContentLink` and `exportLinks`: they open only items that are shared with
 * anyone who has the link.
 */
export function publicPages(accounts: DriveAccounts): Endpoint[] {
  const serve = (request: VendorRequest) => open(request, accounts);
  return ["/file/d/", "/drive/folders/", "/document/d/", "/uc"].map((path) => ({
    hosts: ["drive.google.com", "docs.google.com"],
    path,
    kind: "page" as const,
    handle: serve,
  }));
}

function open(request: VendorRequest, accounts: DriveAccounts): Answer {
  const { look } = googleRules;
  const id = request.path === "/uc" ? request.query.get("id") : request.path.split("/")[3];
  const found = find(accounts, id ?? "");
  if (found === undefined || !isPublic(found)) {
    const text = "Ask its owner to share it with everyone who has the link.";
    return htmlAnswer(403, errorPage(look, "You need access", text, `item ${id}`));
  }
  const { account, node } = found;
  if (request.path === "/uc") return bytes(request, node);
  const inside = node.directory
    ? html`<ul class="plain">${account.tree.children(node.id).map((child) => html`<li>${child.name}</li>`)}</ul>`
    : html`<p><a href="/uc?id=${node.id}&export=download">Download</a></p>`;
  return htmlAnswer(
    200,
    page(
      look,
      node.name,
      html`<div class="card">${brand(look)}<h1>${node.name}</h1><p>Shared by ${account.name}.</p>${inside}</div>`,
    ),
  );
}

function bytes(request: VendorRequest, node: DriveNode): Answer {
  const newest = node.revisions.at(-1);
  if (newest === undefined)
    return htmlAnswer(
      404,
      errorPage(googleRules.look, "Nothing to download", "A folder has no bytes.", "folder"),
    );
  if (isGoogleType(node.detail.mimeType)) {
    const wanted = request.query.get("mimeType") ?? "";
    return exported(node, newest, EXPORT_TYPES.includes(wanted) ? wanted : "text/plain");
  }
  return contentAnswer(newest.content, request.header("range"), {
    "Content-Type": newest.mediaType,
    "Content-Disposition": `attachment; filename*=UTF-8''${encodeURIComponent(node.name)}`,
  });
}

function find(accounts: DriveAccounts, id: string): { account: DriveAccount; node: DriveNode } | undefined {
  for (const account of accounts.all()) {
    const node = account.tree.get(id);
    if (node !== undefined) return { account, node };
  }
  return undefined;
}

/** Whether the item or a folder above it is shared with anyone. */
function isPublic({ account, node }: { account: DriveAccount; node: DriveNode }): boolean {
  for (let at: DriveNode | undefined = node; at !== undefined; at = account.tree.parent(at)) {
    if ([...at.detail.permissions.values()].some((permission) => permission.type === "anyone")) return true;
  }
  return false;
}
