import * as v from "valibot";

// Schemas of the hub's answers. `fields=` can leave out any member, so all members of an item are optional.

const date = v.pipe(v.string(), v.isoTimestamp(), v.description("ISO 8601, UTC, in seconds"));
const raw = v.exactOptional(v.pipe(v.unknown(), v.description("With `raw=true`: the vendor's own answer")));

export const Item = v.pipe(
  v.object({
    id: v.exactOptional(
      v.pipe(v.string(), v.description("May be put into a URL as it is, or percent-encoded")),
    ),
    name: v.exactOptional(v.string()),
    path: v.exactOptional(v.pipe(v.string(), v.description("Absolute; `/` is the root"))),
    directory: v.exactOptional(v.boolean()),
    size: v.exactOptional(v.pipe(v.number(), v.description("Bytes; files only"))),
    createdDate: v.exactOptional(date),
    modifiedDate: v.exactOptional(date),
    parentFolderId: v.exactOptional(v.string()),
    tags: v.exactOptional(v.pipe(v.array(v.string()), v.readonly())),
    refId: v.exactOptional(
      v.pipe(v.string(), v.description("Stays the same when the item is moved; accepted in place of an id")),
    ),
    description: v.exactOptional(v.string()),
    properties: v.exactOptional(
      v.object({ mimeType: v.exactOptional(v.string()), hash: v.exactOptional(v.string()) }),
    ),
    raw,
  }),
  v.title("Item"),
  v.description("A file or folder"),
);

export const Items = v.pipe(v.array(Item), v.readonly());

export const Pong = v.object({
  endpoint: v.pipe(v.string(), v.description("Key of the connector")),
  valid: v.boolean(),
  dateTime: v.pipe(v.string(), v.isoTimestamp()),
});

export const Account = v.object({
  id: v.string(),
  name: v.exactOptional(v.string()),
  email: v.exactOptional(v.string()),
  raw,
});

export const StorageUse = v.object({
  total: v.exactOptional(v.pipe(v.number(), v.description("Bytes; absent: the account has no limit"))),
  used: v.number(),
  shared: v.number(),
});

export const LinksOfItem = v.object({
  expires: v.exactOptional(date),
  cloudElementsLink: v.exactOptional(
    v.pipe(
      v.string(),
      v.description("Downloads the file through Linkspan, without authorization, for four hours"),
    ),
  ),
  providerViewLink: v.exactOptional(
    v.pipe(v.string(), v.description("The vendor's page that shows the item")),
  ),
  requiresPassword: v.exactOptional(
    v.pipe(v.boolean(), v.description("`true`: the vendor's links open only with the link's password")),
  ),
  providerLink: v.exactOptional(v.pipe(v.string(), v.description("Downloads the file from the vendor"))),
  raw,
});

const MemberOfTeam = v.object({
  id: v.pipe(v.string(), v.description("For the header `Elements-As-Team-Member`, as is `email`")),
  email: v.string(),
  name: v.exactOptional(v.string()),
  status: v.exactOptional(v.string()),
  role: v.exactOptional(v.string()),
  raw,
});

export const Members = v.pipe(v.array(MemberOfTeam), v.readonly());

export const RevisionOfFile = v.object({
  id: v.string(),
  size: v.exactOptional(v.number()),
  modifiedDate: v.exactOptional(date),
  hash: v.exactOptional(v.string()),
  raw,
});

export const Revisions = v.pipe(v.array(RevisionOfFile), v.readonly());

export const JobOfHub = v.pipe(
  v.object({
    id: v.string(),
    status: v.picklist(["running", "completed", "failed"]),
    result: v.exactOptional(
      v.pipe(Item, v.description("The copy; absent while it runs, after a deletion, or if it is gone")),
    ),
    error: v.exactOptional(
      v.pipe(v.object({ code: v.string(), message: v.string() }), v.description("Why it failed")),
    ),
  }),
  v.title("Job"),
  v.description("What the vendor still works on"),
);

/** A list that is always empty. */
export const Nones = v.pipe(v.array(v.string()), v.maxLength(0), v.readonly());

export const Nothing = v.pipe(v.object({}), v.description("An empty object"));
