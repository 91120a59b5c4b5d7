import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import type { Links } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer } from "../../vendor-failure.ts";
import { wholeFeed, withQuery } from "./items.ts";

// Links are Shares: https://api.sharefile.com/html/docs/Shares.html (2026-11-27).

interface Share {
  readonly Id?: string;
  readonly Uri?: string;
  readonly ShareType?: string;
  readonly RequireLogin?: boolean;
  readonly RequireUserInfo?: boolean;
  readonly UsesStreamIDs?: boolean;
  readonly MaxDownloads?: number;
  readonly ExpirationDate?: string;
  readonly Items?: readonly { readonly Id?: string; readonly StreamID?: string }[];
}

/** "9999-12-31" disables the expiration; without a date a share expires after 30 days. */
const NEVER = "9999-12-31";

/**
 * The link of an item: a share of this item alone that everybody may use, or else a new one. A file is shared by its
 * stream, so that the link leads to each new version.
 */
export async function links(call: VendorCall, item: DocumentsItem): Promise<Links> {
  const open = (await sharesOf(call, item)).find(
    (share) => share.RequireLogin !== true && share.RequireUserInfo !== true && lasts(share),
  );
  const share = open ?? (await newShare(call, item));
  if (share.Uri === undefined) throw badAnswer("a share has no Uri");
  return {
    providerViewLink: share.Uri,
    ...(lasts(share) ? { lasting: true } : present({ expires: share.ExpirationDate })),
    raw: share,
  };
}

export async function removeLinks(call: VendorCall, item: DocumentsItem): Promise<void> {
  for (const { Id: id = "" } of await sharesOf(call, item))
    await call.expectOk({ method: "DELETE", url: `/sf/v3/Shares(${encodeURIComponent(id)})` });
}

/** The user's own shares of this item and no other. A share of several items is not a link of one of them. */
async function sharesOf(call: VendorCall, item: DocumentsItem): Promise<Share[]> {
  const all = await wholeFeed<Share>(call, (paging) =>
    withQuery("/sf/v3/Shares", { includeExpired: false, ...paging, $expand: "Items" }),
  );
  return all.filter(({ ShareType, Items = [] }) => {
    const [only] = Items;
    const isIt = only?.Id === item.id || (only?.StreamID ?? only?.Id) === item.refId;
    return ShareType === "Send" && Items.length === 1 && isIt;
  });
}

function newShare(call: VendorCall, item: DocumentsItem): Promise<Share> {
  return call.json<Share>({
    method: "POST",
    url: withQuery("/sf/v3/Shares", { notify: false, direct: false }),
    json: {
      ShareType: "Send",
      Title: item.name,
      Items: [{ Id: item.refId }],
      UsesStreamIDs: item.refId !== item.id,
      ExpirationDate: NEVER,
      RequireLogin: false,
      RequireUserInfo: false,
      MaxDownloads: -1,
    },
  });
}

/** An account's rules may give a share an end, whatever is asked for. */
function lasts({ ExpirationDate = "", MaxDownloads = -1 }: Share): boolean {
  return ExpirationDate.startsWith("9999-") && MaxDownloads < 0;
}
