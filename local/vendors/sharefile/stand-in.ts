import * as v from "valibot";
import { textContent } from "../content.ts";
import { call } from "../kit/calls.ts";
import { startVendor, type Vendor } from "../kit/start-vendor.ts";
import type { StandIn, StandInOptions, StandInPlaces } from "../stand-in.ts";
import { errorAnswer, refuse } from "./errors.ts";
import { itemCalls } from "./item-calls.ts";
import { ACCOUNT_ID, API_HOST, guid, newest, newId, type Own, SUBDOMAIN } from "./items.ts";
import { SHARE, shareCalls, sharePage, WEB_HOST } from "./share-calls.ts";
import { STORAGE_HOST, Transfers } from "./transfers.ts";

const QUOTA_BYTES = 100 * 1024 ** 3;
const MEGABYTE = 1024 * 1024;

/** All accounts of the stand-in belong to one customer, whose subdomain is `acme`. */
export function startShareFile(options: StandInOptions): Promise<StandIn> {
  const transfers = new Transfers();
  const vendor: Vendor<Own> = {
    connector: "sharefile",
    hosts: ["secure.sharefile.com", API_HOST, WEB_HOST, STORAGE_HOST],
    apiHosts: [API_HOST],
    oauth: {
      look: { vendor: "ShareFile", accent: { light: "#1a5fb4", dark: "#8ab8f5" } },
      // https://api.sharefile.com/gettingstarted/oauth2
      authorize: { hosts: ["secure.sharefile.com"], path: "/oauth/authorize" },
      token: { hosts: [API_HOST], path: "/oauth/token" },
      // ShareFile has no scopes: a token has the user's own permissions, which is what the consent page says.
      scopes: { permissions: "use your account with the permissions that you have" },
      ignoresUnknownScopes: true,
      ignoresPkce: true,
      clientAuthentication: ["post"],
      codeSeconds: 600,
      accessTokenSeconds: 28_800,
      refreshTokens: { rotation: "singleUse" },
      redirectParameters: () => CONTROL_PLANES,
      // https://api.sharefile.com/gettingstarted/oauth2password
      tokenMembers: () => Object.fromEntries(CONTROL_PLANES),
    },
    tree: {
      names: {
        ignoresCase: true,
        ignoresComposition: false,
        allowsDuplicates: false,
        refuse: refuseName,
      },
      quotaBytes: QUOTA_BYTES,
      rootName: "Personal Folders",
      newId,
      newDetail: () => ({ description: "", shares: [] }),
      copiedDetail: ({ description }) => ({ description, shares: [] }),
    },
    detail: v.strictObject({ description: v.string(), shares: v.array(SHARE) }),
    calls: (kit) => [
      ...itemCalls(kit),
      ...transfers.calls(),
      ...shareCalls(kit),
      call(
        "GET /sf/v3/Users",
        { query: v.strictObject({ $select: v.optional(v.string()) }) },
        ({ account }) => ({
          "odata.type": "ShareFile.Api.Models.User",
          Id: guid(`user ${account.login}`),
          FullName: account.name,
          Email: account.email,
          Username: account.login,
        }),
      ),
      call(
        "GET /sf/v3/Accounts",
        { query: v.strictObject({ $expand: v.optional(v.picklist(["DiskSpace"])) }) },
        ({ account }, { query }) => {
          const used = Math.ceil(account.tree.usedBytes() / MEGABYTE);
          const max = QUOTA_BYTES / MEGABYTE;
          return {
            "odata.type": "ShareFile.Api.Models.Account",
            Id: ACCOUNT_ID,
            CompanyName: "Acme",
            Subdomain: SUBDOMAIN,
            DiskSpaceMax: max,
            ...(query.$expand === undefined ? {} : { DiskSpace: { Max: max, Used: used, Free: max - used } }),
          };
        },
      ),
    ],
    open: (kit) => [...transfers.endpoints(), sharePage(kit)],
    places: ({ accounts }): StandInPlaces => {
      const share = (login: string, folderName: string, file: string, content: string) => {
        const account = accounts.find(login);
        if (account === undefined) throw new RangeError(`there is no account ${login}`);
        const folder = account.addShared(folderName, undefined);
        const node = account.addFile(folder, file, textContent(content));
        return { folder: folder.id, file: newest(node).version?.id ?? "" };
      };
      let count = 0;
      return {
        addShared: (login, name, content) => share(login, `Shared ${++count}`, name, content).file,
        addSharedFolder: (login, name, file) => share(login, name, file, "theirs"),
      };
    },
    refuse,
    statusAnswer: (status) => errorAnswer(status, `The request failed with ${status}.`),
  };
  return startVendor(vendor, options);
}

/** The redirect's parameters besides `code` and `state`. The stand-in leaves out `h`, a hash over the whole URL. */
const CONTROL_PLANES = [
  ["subdomain", SUBDOMAIN],
  ["apicp", "sf-api.com"],
  ["appcp", "sharefile.com"],
] as const;

/**
 * https://github.com/rclone/rclone/blob/master/backend/sharefile/sharefile.go (2026-11-27): what rclone has found by trying.
 */
function refuseName(name: string): string | undefined {
  if ([...name].some((each) => each < " " || '\\/:*?"<>|'.includes(each)))
    return "it has a character that is not allowed";
  if (name !== name.trim() || name.startsWith(".") || name.endsWith("."))
    return "it begins or ends with a blank or a period";
  return name.length > 256 ? "it has more than 256 characters" : undefined;
}
