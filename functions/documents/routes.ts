import { type HubCall, hubCalls, isSupported } from "../core/documents/calls.ts";
import type { Choice, DocumentsVendor } from "../core/documents/vendor.ts";
import { NotSupported } from "../core/errors.ts";
import { present } from "../core/present.ts";
import { type Choices, refuseChoices } from "../http/acts-elsewhere.ts";
import { implement, type Route } from "../http/contract.ts";
import type { HttpRequest } from "../http/request.ts";
import { me, objects, ping, storage } from "./account.ts";
import { hubContracts, laterContracts, linkContracts } from "./contracts.ts";
import {
  change,
  copyKind,
  download,
  links,
  metadata,
  removeKind,
  revision,
  revisions,
  unlink,
  upload,
} from "./files.ts";
import { contents, create } from "./folders.ts";
import { job } from "./jobs.ts";
import { listMembers } from "./members.ts";
import { type DocumentsDeps, type OpenHub, openHub } from "./open-hub.ts";
import { search } from "./search.ts";
import { followLink } from "./signed-link.ts";
import {
  changeTeamDrive,
  createTeamDrive,
  listTeamDrives,
  readTeamDrive,
  removeTeamDrive,
} from "./team-drives.ts";

/**
 * Every call of the hub's table, below `/hubs/documents` and in the short form. A call that the vendor does
 * not support answers 501.
 */
export function documentsRoutes(deps: () => DocumentsDeps): readonly Route[] {
  /** Opens the hub for a call, if the vendor supports the call. */
  const instance = async (request: HttpRequest, { name, method, path }: Route): Promise<OpenHub> => {
    const hub = await openHub(request, deps());
    const call = callsByName.get(name);
    if (call === undefined || !isSupported(call, (wanted) => hub.vendor[wanted] !== undefined)) {
      throw new NotSupported(`${method} ${path.replace("/hubs/documents", "")}`, hub.vendor.connector);
    }
    refuseChoices(request, refusedBy(hub.vendor, name), hub.vendor.connector);
    return { ...hub, ...present({ teamDriveId: teamDriveOf(request) }) };
  };

  const hub = implement(
    hubContracts,
    { instance },
    {
      "documents.ping": ping,
      "documents.me": me,
      "documents.storage": storage,
      "documents.objects": objects,
      "documents.search": search,
      "documents.members": listMembers,
      "documents.files.upload": upload,
      "documents.files.download": download,
      "documents.files.delete": removeKind("file"),
      "documents.files.copy": copyKind("file"),
      "documents.files.metadata": metadata,
      "documents.files.change": change,
      "documents.files.links": links(deps),
      "documents.files.unlink": unlink,
      "documents.files.revisions": revisions,
      "documents.files.revision": revision,
      "documents.folders.create": create,
      "documents.folders.contents": contents,
      "documents.folders.delete": removeKind("folder"),
      "documents.folders.copy": copyKind("folder"),
      "documents.folders.metadata": metadata,
      "documents.folders.change": change,
      "documents.folders.links": links(deps),
      "documents.folders.unlink": unlink,
      "documents.jobs": job,
      "documents.team-drives.list": listTeamDrives,
      "documents.team-drives.create": createTeamDrive,
      "documents.team-drives.read": readTeamDrive,
      "documents.team-drives.change": changeTeamDrive,
      "documents.team-drives.delete": removeTeamDrive,
    },
  );
  const link = implement(linkContracts, {}, { "documents.link": followLink(deps) });
  const later = implement(
    laterContracts,
    { instance },
    Object.fromEntries(Object.keys(laterContracts).map((name) => [name, notBuilt])),
  );
  return [...hub, ...link, ...later];
}

/** With these, a call acts in a shared drive or a site, or as another person, at vendors that have such. */
const PLACES: Choices = {
  query: ["teamDriveId", "includeTeamDrives"],
  headers: ["subsite", "elements-as-team-member"],
} as const satisfies { query: Choice[]; headers: Choice[] };
/** With these, a link is for other people, or for another time, than the vendor's usual one. */
const forLinks: Choices = {
  ...PLACES,
  query: [...(PLACES.query ?? []), "visibility", "password", "expires"],
};
const choices: Readonly<Record<string, Choices>> = {
  "documents.files.links": forLinks,
  "documents.folders.links": forLinks,
};

/** Calls about files and folders, which lie in a drive. */
const IN_A_DRIVE = /^documents\.(?:files\.|folders\.|search$)/;

/** The choices for a call, without those that the vendor honours in it. */
function refusedBy({ honours = [] }: DocumentsVendor, name: string): Choices {
  const { query = [], headers = [] } = choices[name] ?? PLACES;
  const isHonoured = (choice: string): boolean => honours.some((each) => each === choice);
  return {
    query: query.filter((choice) => !isHonoured(choice) || !IN_A_DRIVE.test(name)),
    headers: headers.filter((choice) => !isHonoured(choice)),
  };
}

function teamDriveOf({ query }: HttpRequest): string | undefined {
  const id = query.get("teamDriveId")?.trim() ?? "";
  return ["", "false"].includes(id.toLowerCase()) ? undefined : id;
}

const notBuilt = async (): Promise<never> => {
  throw new Error("the caller check refuses a call that is not supported yet");
};

/**
 * Rows of the hub's table by the names of their routes; a call that is not supported yet has one name for
 * each method.
 */
const callsByName: ReadonlyMap<string, HubCall> = new Map(
  hubCalls.flatMap((call) => [
    [`documents.${call.name}`, call],
    [`documents.${call.name}.${call.method.toLowerCase()}`, call],
  ]),
);

/** The header that names the instance in every answer of the hub. */
export function instanceHeader(request: HttpRequest): Record<string, string> {
  const { instanceId } = request.logContext;
  return instanceId === undefined ? {} : { "Elements-Element-Instance-Id": String(instanceId) };
}
