import { present } from "../../../present.ts";
import type { PageRequest, SearchRequest, VendorPage } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer } from "../../vendor-failure.ts";
import { ALL_SHARED, isFileOrFolder, itemUrl, type ShareFileItem, toItem, withQuery } from "./items.ts";

/** https://api.sharefile.com/html/docs/ShareFile.Api.Models.SearchResults.html (2026-11-27) */
interface SearchResults {
  /** The search found more than it returns, or ran out of time. */
  readonly PartialResults?: boolean;
  readonly TimedOut?: boolean;
  readonly Results?: readonly {
    readonly ItemID?: string;
    readonly ParentID?: string;
    readonly ItemType?: string;
    readonly FileName?: string;
    readonly DisplayName?: string;
    readonly Size?: number;
    readonly CreationDate?: string;
    readonly Details?: string;
    readonly MD5?: string;
    readonly StreamID?: string;
  }[];
}

export async function search(
  call: VendorCall,
  { text = "", folder }: SearchRequest,
  { limit, cursor = "0" }: PageRequest,
): Promise<VendorPage> {
  const skip = Number(cursor);
  const query = { query: text, maxResults: limit, skip };
  const {
    Results: results,
    PartialResults: isPartial,
    TimedOut: isLate,
  } = await call.json<SearchResults>({
    method: "GET",
    url:
      folder === undefined || folder.reference === ALL_SHARED
        ? withQuery("/sf/v3/Items/Search", { ...query, homeFolderOnly: false })
        : itemUrl(folder.reference, "Search", query),
  });
  if (!Array.isArray(results)) throw badAnswer("a search has no Results");
  const items = results
    .map(
      (each): ShareFileItem => ({
        "odata.type": `ShareFile.Api.Models.${/^folder$/i.test(each.ItemType ?? "") ? "Folder" : each.ItemType}`,
        ...present({
          Id: each.ItemID,
          Name: each.DisplayName || each.FileName,
          FileSizeBytes: each.Size,
          CreationDate: each.CreationDate,
          Description: each.Details,
          Hash: each.MD5,
          StreamID: each.StreamID,
          Parent: each.ParentID === undefined ? undefined : { Id: each.ParentID },
        }),
      }),
    )
    .filter(isFileOrFolder)
    .map(toItem);
  return {
    items,
    ...(results.length < limit ? {} : { cursor: String(skip + results.length) }),
    ...(isPartial || isLate ? { incomplete: true } : {}),
  };
}
