import { type HubCall, type HubCallName, hubCalls } from "../core/documents/calls.ts";
import type { ErrorCode } from "../core/error-codes.ts";
import { type Contract, connectionErrors, contracts, type Handle, ok } from "../http/contract.ts";
import { flag, text, texts, wholeNumber } from "../http/parameter.ts";
import {
  Account,
  Item,
  Items,
  JobOfHub,
  LinksOfItem,
  Members,
  Nones,
  Nothing,
  Pong,
  RevisionOfFile,
  Revisions,
  StorageUse,
} from "./answers.ts";
import type { OpenHub } from "./open-hub.ts";
import {
  CopyBody,
  ItemBody,
  inTeamDrive,
  list,
  NOT_KEPT,
  overwrite,
  path,
  raw,
  shown,
  TeamDriveBody,
  withTeamDrives,
} from "./parameters.ts";

// Contracts of the Documents hub's calls. Methods and paths are in core/documents/calls.ts, which also
// determines which calls a vendor supports.

/** Errors of any call to a vendor. */
const vendorErrors = [
  ...connectionErrors,
  "vendor_unauthorized",
  "rate_limited",
  "vendor_refused",
  "vendor_error",
  "vendor_bad_answer",
  "vendor_answer_unreadable",
  "forbidden",
  "missing_scope",
  "api_not_enabled",
  "not_supported",
] as const satisfies readonly ErrorCode[];

const ofItem = [...vendorErrors, "not_a_file", "not_a_folder", "conflict"] as const;
const ofBytes = ["download_quota_exceeded", "export_too_large", "marked_as_malware"] as const;
const ofWriting = [
  ...ofItem,
  "storage_full",
  "too_many_items",
  "body_too_large",
  "too_deep",
  "too_large",
] as const;

const anItem = {
  id: "id:a4ayc_80_OEAAAAAAAAAXw",
  name: "b.txt",
  path: "/a/b.txt",
  directory: false,
  size: 12,
  createdDate: "2026-01-02T03:04:05Z",
  modifiedDate: "2026-01-02T03:04:05Z",
  parentFolderId: "id:a4ayc_80_OEAAAAAAAAAXg",
  tags: [],
  refId: "id:a4ayc_80_OEAAAAAAAAAXw",
  properties: { mimeType: "text/plain", hash: "9f86d081884c7d65" },
};

const aDrive = {
  id: "0ALk2mUNd4C9pUk9PVA",
  name: "Sales",
  path: "/Shared drives/Sales",
  directory: true,
  createdDate: "2026-01-02T03:04:05Z",
  parentFolderId: "shared-drives",
  tags: [],
  refId: "0ALk2mUNd4C9pUk9PVA",
  properties: {},
};

const item = (description: string) => ok(description, Item, anItem);
const newItem = (description: string) =>
  ok(description, Item, anItem, {
    [NOT_KEPT]: "`description`, `tags`: sent, but they could not be stored",
  });
const aJob = { id: "0b0f1a34-8f1c-4d0e-9a56-6a1a3c2f7d10", status: "running" } as const;
/** The vendor works longer than a call may take. */
const started = {
  202: {
    description: "The vendor has accepted it and still works on it",
    json: JobOfHub,
    headers: { Location: "The job: `GET` tells how far it is" },
    example: aJob,
  },
} as const;

const nothing = (description: string) => ok(description, Nothing, {});

const pages = {
  "Elements-Returned-Count": "Number of items on this page",
  "Elements-Total-Count": "Number of items on all pages; only if Linkspan has read the whole list",
  "Elements-Incomplete":
    "`true`: the vendor has not searched everywhere, or the folder has more folders below it than are searched; absent otherwise",
  "Elements-Next-Page-Token": "Value for `nextPage`; absent on the last page",
};

/** Answers with the bytes of a file, in its own or an exported type. */
const bytes = {
  200: {
    description: "The bytes, streamed",
    mediaTypes: ["*/*"],
    headers: { "Content-Disposition": "Names the file", "Content-Length": "Only if the vendor sends it" },
  },
  206: {
    description: "A range of the bytes",
    mediaTypes: ["*/*"],
    headers: { "Content-Range": "The range" },
  },
} as const;

/** Parameters and errors that a file's call and the folder's call share. */
const removing = {
  query: { ...path, emptyTrash: flag("`true` deletes for good, not into the vendor's trash.") },
  errors: ofWriting,
} as const;
const copying = { query: { ...overwrite, ...path, ...shown }, errors: ofWriting } as const;
const linking = { query: { ...path, ...raw }, errors: ofItem } as const;
const unlinking = { query: path, errors: ofItem, answers: nothing("The shared link is deleted") } as const;

const calls = {
  ping: {
    summary: "Checks the connection by one cheap call to the vendor",
    errors: vendorErrors,
    answers: ok("The connection works", Pong, {
      endpoint: "dropbox",
      valid: true,
      dateTime: "2026-01-02T03:04:05.678Z",
    }),
  },
  me: {
    summary: "Reads the account of the instance",
    query: raw,
    errors: vendorErrors,
    answers: ok("The account", Account, {
      id: "dbid:AAH4f99T0taONIb",
      name: "Ada Lovelace",
      email: "ada@example.com",
    }),
  },
  storage: {
    summary: "Reads the storage space of the account",
    errors: vendorErrors,
    answers: ok("Sizes in bytes", StorageUse, { total: 2_147_483_648, used: 314_159, shared: 0 }),
  },
  objects: {
    summary: "Lists the kinds of custom objects: there are none",
    errors: vendorErrors,
    answers: ok("An empty list", Nones, []),
  },
  search: {
    summary: "Finds files and folders",
    description: "Without any parameter, finds everything; with the path of a file, only that file.",
    query: {
      path: text("Only items below this folder."),
      text: text("Text in the name, or in other places that the vendor searches."),
      mimeType: text("Only files of this type."),
      startDate: text("Only items changed at or after this time, ISO 8601."),
      endDate: text("Only items changed at or before this time, ISO 8601."),
      extensions: texts("Only files with one of these extensions, written without the dot.", "extensions[]"),
      tags: texts("Only items that have all of these tags.", "tags[]"),
      ...inTeamDrive,
      ...withTeamDrives,
      ...list,
    },
    errors: ofItem,
    answers: ok("A page of files and folders", Items, [anItem], pages),
  },
  "files.upload": {
    summary: "Uploads a file",
    description:
      "Send the file as the part `file` of a form, or as the raw body with its Content-Type; at most about 4.5 MB. Missing folders are made. If the file exists, answers 409, unless `overwrite=true`.",
    query: {
      size: wholeNumber("Sent by old clients, and ignored: the bytes are counted.", {
        min: 0,
        max: Number.MAX_SAFE_INTEGER,
      }),
      path: text("Absolute path of the new file."),
      ...inTeamDrive,
      folderId: text("Id of the target folder; used in place of the folder in `path`."),
      description: text("Description of the file, if the vendor stores descriptions."),
      tags: texts("Tags of the file, if the vendor stores tags.", "tags[]"),
      ...overwrite,
      ...shown,
    },
    body: { mediaTypes: ["multipart/form-data", "*/*"], description: "The bytes" },
    errors: ofWriting,
    answers: newItem("The file"),
  },
  "files.download": {
    summary: "Downloads a file",
    description: "The header `Range` is passed on to the vendor.",
    query: {
      acknowledgeAbuse: flag(
        "`true` downloads a file that the vendor has marked as malware or spam, if the user owns it.",
      ),
      mediaType: text("Media type to which a Google document is exported; absent: an Office format or PDF."),
      ...path,
    },
    errors: [...ofItem, ...ofBytes, "range_not_satisfiable"],
    answers: bytes,
  },
  "files.delete": {
    summary: "Deletes a file",
    ...removing,
    answers: { ...nothing("The file is deleted"), ...started },
  },
  "files.copy": {
    summary: "Copies a file",
    ...copying,
    body: { json: CopyBody, example: { path: "/archive/b.txt" } },
    answers: { ...item("The copy"), ...started },
  },
  "files.metadata": {
    summary: "Reads a file's metadata",
    query: { ...shown, ...path },
    errors: ofItem,
    answers: item("The file or folder"),
  },
  "files.change": {
    summary: "Moves, renames or describes a file",
    description:
      "If both are sent, `path` counts, and `name` is ignored; the whole object may be sent back. Missing target folders are made. If the target path exists, the result depends on the vendor.",
    query: { ...path, ...shown },
    body: { json: ItemBody, example: { path: "/archive/b.txt" } },
    errors: ofWriting,
    answers: item("The file as it is now"),
  },
  "files.links": {
    summary: "Makes or reads a file's links",
    ...linking,
    answers: ok("The links", LinksOfItem, {
      expires: "2026-01-02T07:04:05Z",
      cloudElementsLink: "https://api.example.com/elements/api-v2/hubs/documents/links/1x.abc",
      providerViewLink: "https://www.dropbox.com/scl/fi/x/b.txt?dl=0",
      providerLink: "https://www.dropbox.com/scl/fi/x/b.txt?dl=1",
    }),
  },
  "files.unlink": {
    summary: "Deletes a file's shared link",
    ...unlinking,
  },
  "files.revisions": {
    summary: "Lists a file's revisions, newest first",
    query: { ...list, ...path },
    errors: ofItem,
    answers: ok(
      "A page of revisions",
      Revisions,
      [{ id: "015f2", size: 12, modifiedDate: "2026-01-02T03:04:05Z" }],
      pages,
    ),
  },
  "files.revision": {
    summary: "Reads one revision of a file",
    query: { ...path, ...raw },
    errors: ofItem,
    answers: ok("The revision", RevisionOfFile, {
      id: "015f2",
      size: 12,
      modifiedDate: "2026-01-02T03:04:05Z",
    }),
  },
  "folders.create": {
    summary: "Makes a folder and its parents",
    description: "If the folder exists, answers 409.",
    query: { ...shown, ...inTeamDrive },
    body: { json: ItemBody, example: { path: "/reports/2026" } },
    errors: ofWriting,
    answers: newItem("The folder"),
  },
  "folders.contents": {
    summary: "Lists a folder",
    query: { ...list, ...withTeamDrives, ...path },
    errors: ofItem,
    answers: ok("A page of files and folders", Items, [anItem], pages),
  },
  "folders.delete": {
    summary: "Deletes a folder with its content",
    ...removing,
    answers: { ...nothing("The folder is deleted"), ...started },
  },
  "folders.copy": {
    summary: "Copies a folder with its content",
    ...copying,
    errors: [...ofWriting, "copy_incomplete"],
    body: { json: CopyBody, example: { path: "/archive/2026" } },
    answers: { ...item("The copy"), ...started },
  },
  "folders.metadata": {
    summary: "Reads a folder's metadata",
    query: { ...shown, ...path },
    errors: ofItem,
    answers: item("The folder or file"),
  },
  "folders.change": {
    summary: "Moves or renames a folder",
    query: { ...path, ...shown },
    body: { json: ItemBody, example: { name: "2027" } },
    errors: ofWriting,
    answers: item("The folder as it is now"),
  },
  "folders.links": {
    summary: "Makes or reads a folder's links",
    ...linking,
    answers: ok("The links", LinksOfItem, { providerViewLink: "https://www.dropbox.com/scl/fo/x?dl=0" }),
  },
  "folders.unlink": {
    summary: "Deletes a folder's shared link",
    ...unlinking,
  },
  members: {
    summary: "Lists the members of the team that the connection is for",
    query: list,
    errors: vendorErrors,
    answers: ok(
      "A page of members",
      Members,
      [{ id: "dbmid:FDFSVF-DFSDF", email: "tami@example.com", name: "Tami Seagull", status: "active" }],
      pages,
    ),
  },
  jobs: {
    summary: "Tells how far a copy or deletion is that takes the vendor long",
    description: "A job is kept for 7 days from its beginning. The vendor is asked when a job is read.",
    query: shown,
    errors: vendorErrors,
    answers: ok("The job", JobOfHub, aJob),
  },
  "team-drives.list": {
    summary: "Lists the shared drives of the user's teams, as folders",
    query: list,
    errors: vendorErrors,
    answers: ok("A page of drives", Items, [aDrive], pages),
  },
  "team-drives.create": {
    summary: "Makes a shared drive",
    query: shown,
    body: { json: TeamDriveBody, example: { name: "Sales" } },
    errors: vendorErrors,
    answers: ok("The drive", Item, aDrive),
  },
  "team-drives.read": {
    summary: "Reads a shared drive",
    query: shown,
    errors: vendorErrors,
    answers: ok("The drive", Item, aDrive),
  },
  "team-drives.change": {
    summary: "Renames a shared drive",
    query: shown,
    body: { json: TeamDriveBody, example: { name: "Sales 2027" } },
    errors: vendorErrors,
    answers: ok("The drive as it is now", Item, aDrive),
  },
  "team-drives.delete": {
    summary: "Deletes a shared drive, which must be empty",
    errors: vendorErrors,
    answers: nothing("The drive is deleted"),
  },
} as const satisfies Record<HubCallName, Omit<Contract, "method" | "paths" | "group" | "auth">>;

export type HubContracts = {
  readonly [Name in HubCallName as `documents.${Name}`]: (typeof calls)[Name] &
    Pick<Contract, "method" | "paths" | "group" | "head"> & {
      readonly auth: "instance";
    };
};

/** The handler of one call of the hub. */
export type HubHandle<Name extends HubCallName> = Handle<HubContracts[`documents.${Name}`], OpenHub>;

/** Each path in two forms: with the prefix `/hubs/documents`, and without it. */
function formsOf(calls: readonly string[]): Contract["paths"] {
  return calls.flatMap((each) => [`/hubs/documents${each}`, each]) as unknown as Contract["paths"];
}

/** The contracts of the hub's calls. */
export const hubContracts = Object.fromEntries(
  Object.entries(calls).map(([name, contract]) => {
    const forms = hubCalls.filter((call) => call.name === name);
    const { method = "GET", head } = forms[0] ?? {};
    const paths = formsOf(forms.map((form) => form.path));
    return [
      `documents.${name}`,
      {
        method,
        paths,
        group: "Documents",
        auth: "instance",
        ...contract,
        ...(head === false ? { head } : {}),
      },
    ];
  }),
) as unknown as HubContracts;

/** Calls that Linkspan does not support yet: they answer 501 to an authorized caller. */
export const laterContracts: Readonly<Record<string, Contract>> = Object.fromEntries(
  [...Map.groupBy(laterCalls(), ({ name, method }) => `documents.${name}.${method.toLowerCase()}`)].map(
    ([name, forms]) => [
      name,
      {
        method: (forms[0] as HubCall).method,
        paths: formsOf(forms.map(({ path }) => path)),
        summary: "Not built yet: 501",
        group: "Documents",
        auth: "instance",
        errors: vendorErrors,
        answers: {},
      },
    ],
  ),
);

function laterCalls(): HubCall[] {
  return hubCalls.filter(({ needs }) => needs === "later");
}

/** Calls that are not in the hub's table. */
export const linkContracts = contracts({
  "documents.link": {
    method: "GET",
    paths: ["/hubs/documents/links/{ticket}"],
    summary: "Downloads the file of a link from `GET /files/links`",
    group: "Documents",
    auth: "none",
    errors: [...ofItem, ...ofBytes, "link_ended", "range_not_satisfiable"],
    answers: bytes,
  },
});
