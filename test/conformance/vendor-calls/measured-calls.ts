import type { HubCallName } from "../../../functions/core/documents/calls.ts";
import type { HubClient, HubItem } from "../hub-client.ts";

/** An account with a folder that is there, and is empty; its path has two names more than the vendor's base folder. */
export interface Place {
  readonly hub: HubClient;
  readonly folder: string;
  /** Puts a file there without the vendor's API. @returns its path */
  addFile(name: string): string;
}

/** Prepares a call. @returns the call, whose calls to the vendor are counted */
type Prepare = (place: Place) => Promise<() => Promise<unknown>> | (() => Promise<unknown>);

const get =
  (path: string): Prepare =>
  ({ hub }) =>
  () =>
    hub.ok("GET", path);

/** A call about a file, by its path. */
const byPath =
  (method: string, path: string, json?: (file: string) => unknown): Prepare =>
  ({ hub, addFile }) => {
    const file = addFile("a.txt");
    return () => hub.ok(method, path, { query: { path: file }, ...(json && { json: json(file) }) });
  };

/** The same by its id, which takes the place of `{id}`. */
const byId =
  (method: string, path: string, json?: (file: string) => unknown): Prepare =>
  async ({ hub, addFile }) => {
    const file = addFile("a.txt");
    const { id } = (await hub.metadata(file)).json;
    return () => hub.ok(method, path.replace("{id}", id), { ...(json && { json: json(file) }) });
  };

/** A call about a folder with two files, by its path or, with `{id}` in `path`, by its id. */
const ofFolder =
  (method: string, path: string, json?: (folder: string) => unknown): Prepare =>
  async ({ hub, folder, addFile }) => {
    const [at] = ["f/a.txt", "f/b.txt"].map((name) => addFile(name));
    const query = path.includes("{id}") ? {} : { path: `${folder}/f` };
    const { id } = (await hub.metadata(`${folder}/f`)).json;
    if (at === undefined) throw new Error("no file");
    return () => hub.ok(method, path.replace("{id}", id), { query, ...(json && { json: json(folder) }) });
  };

const upload =
  (name: string, query: Record<string, string> = {}): Prepare =>
  ({ hub, folder, addFile }) => {
    addFile("there.txt");
    return () =>
      hub.ok("POST", "/files", { query: { path: `${folder}/${name}`, ...query }, body: "content" });
  };

const download =
  (prepare: (place: Place) => Promise<{ path: string; query: Record<string, string> }>): Prepare =>
  async (place) => {
    const { path, query } = await prepare(place);
    return async () => {
      const { status } = await place.hub.call("GET", path, { query });
      if (status !== 200) throw new Error(`the download answered ${status}`);
    };
  };

const withLinks = (prepare: Prepare, path: string, name: string): Prepare => {
  return async (place) => {
    const call = await prepare(place);
    await place.hub.ok("GET", path, { query: { path: `${place.folder}/${name}` } });
    return call;
  };
};

const ofDrive =
  (method: string, json?: unknown): Prepare =>
  async ({ hub }) => {
    const { id } = await hub.ok<HubItem>("POST", "/team-drives", { json: { name: "Counted" } });
    return () => hub.ok(method, `/team-drives/${id}`, json === undefined ? {} : { json });
  };

const search =
  (query: (folder: string) => Record<string, string>): Prepare =>
  ({ hub, folder, addFile }) => {
    addFile("found.txt");
    return () => hub.ok("GET", "/search", { query: query(folder) });
  };

/** The measured forms of each call; an empty name: there is one form. */
export const measuredCalls: Readonly<Record<HubCallName, Readonly<Record<string, Prepare>>>> = {
  ping: { "": get("/ping") },
  me: { "": get("/me") },
  storage: { "": get("/storage") },
  objects: { "": get("/objects") },
  members: { "": get("/members") },
  // One question for the task, and one for the copy: no stand-in works so long that a call becomes a job.
  jobs: {},
  "files.upload": {
    "new file": upload("a.txt"),
    "two missing folders": upload("x/y/a.txt"),
    overwrite: upload("there.txt", { overwrite: "true" }),
  },
  "files.download": {
    "by path": download(async ({ addFile }) => ({ path: "/files", query: { path: addFile("a.txt") } })),
    "by id": download(async ({ hub, addFile }) => {
      const { id } = (await hub.metadata(addFile("a.txt"))).json;
      return { path: `/files/${id}`, query: {} };
    }),
  },
  "files.delete": { "by path": byPath("DELETE", "/files"), "by id": byId("DELETE", "/files/{id}") },
  "files.copy": {
    "by path": byPath("POST", "/files/copy", (file) => ({ path: `${file} copy` })),
    "by id": byId("POST", "/files/{id}/copy", (file) => ({ path: `${file} copy` })),
  },
  "files.metadata": {
    "by path": byPath("GET", "/files/metadata"),
    "by id": byId("GET", "/files/{id}/metadata"),
    "by id, `calculateFolderPath=false`": byId("GET", "/files/{id}/metadata?calculateFolderPath=false"),
  },
  "files.change": {
    "new name": byId("PATCH", "/files/{id}/metadata", () => ({ name: "b.txt" })),
    "new path": byPath("PATCH", "/files/metadata", (file) => ({ path: `${file}.moved` })),
  },
  "files.links": { "": byPath("GET", "/files/links") },
  "files.unlink": { "": withLinks(byPath("DELETE", "/files/links"), "/files/links", "a.txt") },
  "files.revisions": { "": byPath("GET", "/files/revisions") },
  "files.revision": {
    "": async ({ hub, addFile }) => {
      const query = { path: addFile("a.txt") };
      const [latest] = await hub.ok<{ id: string }[]>("GET", "/files/revisions", { query });
      const id = encodeURIComponent(latest?.id ?? "");
      return () => hub.ok("GET", `/files/revisions/${id}`, { query });
    },
  },
  "folders.create": {
    "":
      ({ hub, folder }) =>
      () =>
        hub.ok("POST", "/folders", { json: { path: `${folder}/new` } }),
  },
  "folders.contents": {
    "of the root": get("/folders/contents?path=/"),
    "by path": ofFolder("GET", "/folders/contents"),
    "by id": ofFolder("GET", "/folders/{id}/contents"),
    "by id, `calculateFolderPath=false`": ofFolder("GET", "/folders/{id}/contents?calculateFolderPath=false"),
  },
  "folders.delete": { "": ofFolder("DELETE", "/folders") },
  "folders.copy": {
    "two files": ofFolder("POST", "/folders/copy", (folder) => ({ path: `${folder}/copy` })),
  },
  "folders.metadata": { "": ofFolder("GET", "/folders/metadata") },
  "folders.change": { "": ofFolder("PATCH", "/folders/metadata", (folder) => ({ path: `${folder}/moved` })) },
  "folders.links": { "": ofFolder("GET", "/folders/links") },
  "folders.unlink": { "": withLinks(ofFolder("DELETE", "/folders/links"), "/folders/links", "f") },
  search: {
    everywhere: search(() => ({ text: "found" })),
    "below a folder": search((path) => ({ text: "found", path })),
  },
  "team-drives.list": { "": get("/team-drives") },
  "team-drives.create": {
    "":
      ({ hub }) =>
      () =>
        hub.ok("POST", "/team-drives", { json: { name: "New" } }),
  },
  "team-drives.read": { "": ofDrive("GET") },
  "team-drives.change": { "": ofDrive("PATCH", { name: "Renamed" }) },
  "team-drives.delete": { "": ofDrive("DELETE") },
};
