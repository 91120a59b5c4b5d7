import type { sharing } from "dropbox";
import { LinkspanError, Unavailable } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import type { Links } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { API, errorOf, rpc } from "./rpc.ts";

type Link = sharing.SharedLinkMetadata;

/** Most pages of an item's links that one call reads. An item has few links: one for each kind of access. */
const MAX_PAGES = 50;

/** The item's shared link; makes one if there is none. */
export async function readLink(call: VendorCall, item: DocumentsItem): Promise<Links> {
  const found: Link[] = [];
  for await (const links of linkPages(call, item)) {
    found.push(...links);
    if (found.some(isOpen)) break;
  }
  const link = found.find(isOpen) ?? found[0] ?? (await makeLink(call, item));
  return {
    lasting: true,
    ...present({ expires: link.expires }),
    ...(requiresPassword(link) ? { requiresPassword: true } : {}),
    providerViewLink: withDownload(link.url, "0"),
    providerLink: withDownload(link.url, "1"),
    raw: link,
  };
}

export async function revokeLinks(call: VendorCall, item: DocumentsItem): Promise<void> {
  for (let round = 0; round < MAX_PAGES; round++) {
    let revoked = 0;
    let isWhole = true;
    for await (const links of linkPages(call, item, (hasMore) => (isWhole = !hasMore))) {
      for (const { url } of links) {
        revoked++;
        await revoke(call, url);
      }
    }
    // "Cursor is returned only if no path is given" (ListSharedLinksResult): the rest then comes with the next listing.
    if (isWhole || revoked === 0) return;
  }
  throw new Unavailable("this item has more shared links than one call takes back: repeat the call");
}

/** A link that lasts and needs no password is the one that an app means. */
function isOpen(link: Link): boolean {
  return link.expires === undefined && !requiresPassword(link);
}

/** `LinkPermissions`: `require_password`, and the older `resolved_visibility`. */
function requiresPassword({ link_permissions: permissions }: Link): boolean {
  return (
    permissions.require_password === true || /password/.test(permissions.resolved_visibility?.[".tag"] ?? "")
  );
}

async function makeLink(call: VendorCall, { reference: path }: DocumentsItem): Promise<Link> {
  try {
    return await rpc<Link>(call, "sharing/create_shared_link_with_settings", { path });
  } catch (error) {
    // Another call has made the link since the listing, or the listing does not show it: the error brings the link.
    const refused = errorOf(error);
    if (refused?.[".tag"] !== "shared_link_already_exists") throw error;
    const there = refused.shared_link_already_exists as { metadata?: Link } | undefined;
    if (there?.metadata !== undefined) return there.metadata;
    const { links } = await rpc<sharing.ListSharedLinksResult>(call, "sharing/list_shared_links", {
      path,
      direct_only: true,
    });
    const [link] = links;
    if (link === undefined) throw error;
    return link;
  }
}

async function revoke(call: VendorCall, url: string): Promise<void> {
  try {
    await call.expectOk({
      method: "POST",
      url: `${API}/sharing/revoke_shared_link`,
      headers: [["Content-Type", "application/json"]],
      body: JSON.stringify({ url }),
    });
  } catch (error) {
    // Somebody else has revoked it.
    if (!(error instanceof LinkspanError && error.code === "not_found")) throw error;
  }
}

async function* linkPages(
  call: VendorCall,
  { reference: path }: DocumentsItem,
  endsWithMore: (hasMore: boolean) => void = () => {},
): AsyncGenerator<readonly Link[]> {
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const result: sharing.ListSharedLinksResult = await rpc(call, "sharing/list_shared_links", {
      ...(cursor === undefined ? { path } : { cursor }),
      direct_only: true,
    });
    yield result.links;
    endsWithMore(result.has_more);
    if (!result.has_more || result.cursor === undefined || result.cursor === cursor) return;
    cursor = result.cursor;
  }
}

/** https://help.dropbox.com/share/force-download: dl=1 returns the bytes, dl=0 a page. */
function withDownload(link: string, value: "0" | "1"): string {
  const url = new URL(link);
  url.searchParams.set("dl", value);
  return url.href;
}
