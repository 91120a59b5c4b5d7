/**
 * ShareFile has no machine-readable specification. These are the calls of its reference that the hub uses, with the parameters and
 * members that the reference gives them: https://api.sharefile.com/html/docs/Items.html, …/Shares.html, …/Users.html,
 * …/Accounts.html, …/AsyncOperations.html, and the official SDK, which is made from the same reference
 * (https://github.com/citrix/ShareFile-NET/tree/master/src/ShareFile.Api.Client/Entities). Read on 2026-11-27.
 */
export interface DocumentedCall {
  /** Title in the reference. */
  readonly title: string;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** `{id}`: an id, or a special one. */
  readonly path: string;
  /** Parameters in addition to those of OData. */
  readonly query: readonly string[];
  /** Members of the body; absent: the call has none. `list`: a list of ids. */
  readonly body?: readonly string[] | "list";
}

/** https://api.sharefile.com/gettingstarted/odata */
export const ODATA = ["$select", "$expand", "$top", "$skip", "$orderby", "$filter"];

export const DOCUMENTED: readonly DocumentedCall[] = [
  { title: "Get HomeFolder for Current User", method: "GET", path: "/sf/v3/Items", query: [] },
  { title: "Get Item by ID", method: "GET", path: "/sf/v3/Items({id})", query: ["includeDeleted"] },
  {
    title: "Get Item by relative Path from ID",
    method: "GET",
    path: "/sf/v3/Items({id})/ByPath",
    query: ["path"],
  },
  {
    title: "Get Children",
    method: "GET",
    path: "/sf/v3/Items({id})/Children",
    query: ["includeDeleted", "orderingMode"],
  },
  { title: "Get Stream", method: "GET", path: "/sf/v3/Items({id})/Stream", query: ["includeDeleted"] },
  {
    title: "Download Item Content",
    method: "GET",
    path: "/sf/v3/Items({id})/Download",
    query: ["redirect", "includeAllVersions", "includeDeleted"],
  },
  {
    title: "Create Folder",
    method: "POST",
    path: "/sf/v3/Items({id})/Folder",
    query: ["overwrite", "passthrough"],
    body: ["Name", "Description", "Zone", "ExpirationDate"],
  },
  {
    title: "Update Item",
    method: "PATCH",
    path: "/sf/v3/Items({id})",
    query: [
      "overwrite",
      "batchid",
      "batchSizeInBytes",
      "forceSync",
      "scheduleAsync",
      "resolveFolderNameConflict",
      "notify",
    ],
    body: ["Name", "FileName", "Description", "ExpirationDate", "Parent", "Zone"],
  },
  {
    title: "Delete Item",
    method: "DELETE",
    path: "/sf/v3/Items({id})",
    query: ["singleversion", "forceSync"],
  },
  {
    title: "Delete Multiple Items",
    method: "POST",
    path: "/sf/v3/Items({id})/BulkDelete",
    query: ["forceSync", "deletePermanently"],
    body: "list",
  },
  {
    title: "Restore expired items",
    method: "POST",
    path: "/sf/v3/Items/BulkRestore",
    query: [],
    body: "list",
  },
  { title: "Copy Item", method: "POST", path: "/sf/v3/Items({id})/Copy", query: ["targetid", "overwrite"] },
  {
    title: "Upload File",
    method: "POST",
    path: "/sf/v3/Items({id})/Upload2",
    query: ["expirationDays"],
    body: ["Method", "Raw", "FileName", "FileSize", "Overwrite", "Details", "Title", "Tool", "Notify"],
  },
  {
    title: "Search",
    method: "GET",
    path: "/sf/v3/Items/Search",
    query: ["query", "maxResults", "skip", "homeFolderOnly"],
  },
  {
    title: "Search",
    method: "GET",
    path: "/sf/v3/Items({id})/Search",
    query: ["query", "maxResults", "skip"],
  },
  { title: "Get List of Shares", method: "GET", path: "/sf/v3/Shares", query: ["includeExpired"] },
  {
    title: "Create Share",
    method: "POST",
    path: "/sf/v3/Shares",
    query: ["notify", "direct"],
    body: [
      "ShareType",
      "Title",
      "Items",
      "Recipients",
      "ExpirationDate",
      "RequireLogin",
      "RequireUserInfo",
      "MaxDownloads",
      "UsesStreamIDs",
    ],
  },
  { title: "Delete Share", method: "DELETE", path: "/sf/v3/Shares({id})", query: [] },
  { title: "Get User", method: "GET", path: "/sf/v3/Users", query: ["id", "emailAddress"] },
  { title: "Get current Account", method: "GET", path: "/sf/v3/Accounts", query: ["id"] },
  { title: "Get AsyncOperation by ID", method: "GET", path: "/sf/v3/AsyncOperations({id})", query: [] },
];

/** The bodies that the reference shows, with ids in place of its placeholders. */
export const EXAMPLES = {
  createFolder: {
    Name: "Folder Name",
    Description: "Description",
    ExpirationDate: "9999-12-31T23:59:59.9999999Z",
  },
  updateItem: (parent: string) => ({
    Name: "Name",
    FileName: "FileName",
    Description: "Description",
    ExpirationDate: "2030-01-01",
    Parent: { Id: parent },
  }),
  /** The reference has `"Raw": false`: a form. The hub and the stand-in use raw bodies only. */
  upload: { Method: "Standard", Raw: true, FileName: "FileName", FileSize: 2048 },
  createShare: (item: string) => ({
    ShareType: "Send",
    Title: "Sample Send Share",
    Items: [{ Id: item }],
    Recipients: [{ User: { Email: "user@email" } }],
    ExpirationDate: "2033-07-23",
    RequireLogin: false,
    RequireUserInfo: false,
    MaxDownloads: -1,
    UsesStreamIDs: false,
  }),
} as const;

/** What the reference says that a refused call answers: https://api.sharefile.com/guides/troubleshooting */
export const REFUSAL = { code: "", message: { lang: "", value: "" } };
