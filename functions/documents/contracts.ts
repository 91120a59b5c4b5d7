import { type HubCall, type HubCallName, hubCalls } from "../core/documents/calls.ts";
import type { ErrorCode } from "../core/error-codes.ts";
import { type Contract, connectionErrors, contracts, type Handle, ok } from "../http/contract.ts";
import { flag, text, texts, wholeNumber } from "../http/parameter.ts";
import {
  Account,
  Item,
  Items,
  LinksOfItem,
  Nones,
  Nothing,
  Pong,
  RevisionOfFile,
  Revisions,
  StorageUse,
} from "./answers.ts";
import type { OpenHub } from "./open-hub.ts";
import { CopyBody, ItemBody, list, NOT_KEPT, overwrite, path, raw, shown } from "./parameters.ts";

// The Documents hub, call by call. Methods and paths are in core/documents/calls.ts, which also tells which calls a vendor
// supports.

/** What a call to a vendor may end with. */
const vendorErrors = [
  ...connectionErrors,
  "vendor_unauthorized",
  "rate_limited",
  "vendor_refused",
  "vendor_error",
  "vendor_bad_answer",
  "vendor_answer_unreadable",
  "forbidden",
  "not_supported",
] as const satisfies readonly ErrorCode[];

const ofItem = [...vendorErrors, "not_a_file", "not_a_folder", "conflict"] as const;
const ofWriting = [...ofItem, "storage_full", "body_too_large", "too_deep", "too_large"] as const;

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

const item = (description: string) => ok(description, Item, anItem);
const newItem = (description: string) =>
  ok(description, Item, anItem, {
    [NOT_KEPT]: "`description`, `tags`: sent, and not kept by this vendor",
  });
const nothing = (description: string) => ok(description, Nothing, {});

const pages = {
  "Elements-Returned-Count": "Items of this page",
  "Elements-Total-Count": "Of all pages, where the whole list was seen",
  "Elements-Next-Page-Token": "For `nextPage`; absent after the last page",
};

/** The bytes of a file, in a vendor's or an exported type. */
const bytes = {
  200: {
    description: "The bytes, streamed",
    mediaTypes: ["*/*"],
    headers: { "Content-Disposition": "Names the file", "Content-Length": "Where the vendor tells it" },
  },
  206: { description: "A range of them", mediaTypes: ["*/*"], headers: { "Content-Range": "Which" } },
} as const;

/** Parameters and errors that a file's call and the folder's call share. */
const removing = {
  query: { ...path, emptyTrash: flag("Not into the vendor's bin.") },
  errors: ofWriting,
} as const;
const copying = { query: { ...overwrite, ...path, ...shown }, errors: ofWriting } as const;
const linking = { query: { ...path, ...raw }, errors: ofItem } as const;
const unlinking = { query: path, errors: ofItem, answers: nothing("There is none any more") } as const;

const calls = {
  ping: {
    summary: "Proves the connection by one cheap call to the vendor",
    errors: vendorErrors,
    answers: ok("It works", Pong, { endpoint: "dropbox", valid: true, dateTime: "2026-01-02T03:04:05.678Z" }),
  },
  me: {
    summary: "Tells the account behind the instance",
    query: raw,
    errors: vendorErrors,
    answers: ok("The account", Account, {
      id: "dbid:AAH4f99T0taONIb",
      name: "Ada Lovelace",
      email: "ada@example.com",
    }),
  },
  storage: {
    summary: "Tells how much room the account has",
    errors: vendorErrors,
    answers: ok("Bytes", StorageUse, { total: 2_147_483_648, used: 314_159, shared: 0 }),
  },
  objects: {
    summary: "Lists the kinds of custom objects: there are none",
    errors: vendorErrors,
    answers: ok("An empty list", Nones, []),
  },
  search: {
    summary: "Finds files and folders",
    description: "Without any parameter everything; with the path of a file only that file.",
    query: {
      path: text("Below this folder."),
      text: text("In the name, or wherever the vendor looks."),
      mimeType: text("Only of this type."),
      startDate: text("Changed from then on, ISO 8601."),
      endDate: text("Changed until then, ISO 8601."),
      extensions: texts("Without dot.", "extensions[]"),
      tags: texts("All of these.", "tags[]"),
      ...list,
    },
    errors: ofItem,
    answers: ok("A page of what was found", Items, [anItem], pages),
  },
  "files.upload": {
    summary: "Uploads a file",
    description:
      "The part `file` of a form, or the raw body with its Content-Type; at most about 4.5 MB. Missing folders are made. 409 when it exists, unless `overwrite=true`.",
    query: {
      size: wholeNumber("Said by old clients; the bytes are counted.", {
        min: 0,
        max: Number.MAX_SAFE_INTEGER,
      }),
      path: text("Absolute path of the new file."),
      folderId: text("Wins over the folder in `path`."),
      description: text("Kept where the vendor keeps one."),
      tags: texts("Kept where the vendor keeps them.", "tags[]"),
      ...overwrite,
      ...shown,
    },
    body: { mediaTypes: ["multipart/form-data", "*/*"], description: "The bytes" },
    errors: ofWriting,
    answers: newItem("The file"),
  },
  "files.download": {
    summary: "Downloads a file",
    description: "`Range` is passed on.",
    query: {
      mediaType: text("What a Google document is exported as; else an Office format or PDF."),
      ...path,
    },
    errors: [...ofItem, "range_not_satisfiable"],
    answers: bytes,
  },
  "files.delete": {
    summary: "Deletes a file",
    ...removing,
    answers: nothing("It is gone"),
  },
  "files.copy": {
    summary: "Copies a file",
    ...copying,
    body: { json: CopyBody, example: { path: "/archive/b.txt" } },
    answers: item("The copy"),
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
      "`path` wins over `name`; the whole object may be sent back. Missing target folders are made. On an existing path the result varies by vendor.",
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
    summary: "Takes a file's shared link back",
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
    description: "409 when it exists.",
    query: shown,
    body: { json: ItemBody, example: { path: "/reports/2026" } },
    errors: ofWriting,
    answers: newItem("The folder"),
  },
  "folders.contents": {
    summary: "Lists a folder",
    query: { ...list, ...path },
    errors: ofItem,
    answers: ok("A page of files and folders", Items, [anItem], pages),
  },
  "folders.delete": {
    summary: "Deletes a folder with all that is in it",
    ...removing,
    answers: nothing("It is gone"),
  },
  "folders.copy": {
    summary: "Copies a folder with all that is in it",
    ...copying,
    body: { json: CopyBody, example: { path: "/archive/2026" } },
    answers: item("The copy"),
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
    summary: "Takes a folder's shared link back",
    ...unlinking,
  },
} as const satisfies Record<HubCallName, Omit<Contract, "method" | "paths" | "group" | "auth">>;

export type HubContracts = {
  readonly [Name in HubCallName as `documents.${Name}`]: (typeof calls)[Name] &
    Pick<Contract, "method" | "paths" | "group" | "head"> & {
      readonly auth: "instance";
    };
};

/** What answers one call of the hub. */
export type HubHandle<Name extends HubCallName> = Handle<HubContracts[`documents.${Name}`], OpenHub>;

/** Each path twice: with the prefix `/hubs/documents`, and without it. */
function formsOf(calls: readonly string[]): Contract["paths"] {
  return calls.flatMap((each) => [`/hubs/documents${each}`, each]) as unknown as Contract["paths"];
}

/** The calls of the hub. */
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

/** Calls that Linkspan has not built yet: 501 to whoever may make them. */
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

/** Calls that the hub's table lacks. */
export const linkContracts = contracts({
  "documents.link": {
    method: "GET",
    paths: ["/hubs/documents/links/{ticket}"],
    summary: "Follows a link that `GET /files/links` gave",
    group: "Documents",
    auth: "none",
    errors: [...ofItem, "link_ended", "range_not_satisfiable"],
    answers: bytes,
  },
});
