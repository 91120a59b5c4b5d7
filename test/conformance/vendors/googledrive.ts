import { noMembers, type VendorTraits } from "./traits.ts";

export const traits: VendorTraits = {
  rootAlias: "root",
  base: "",
  ignoresCase: false,
  namesHoldSlashes: true,
  usualExport: { mediaType: "application/pdf", extension: ".pdf" },
  downloadPath: ({ id }) => `/drive/v3/files/${id}`,
  moves: { method: "PATCH", path: "/drive/v3/files/" },
  has: [
    "addShared",
    "addSharedFolder",
    "addSharedDrive",
    "addShortcut",
    "addDocument",
    "leaveDrivesOut",
    "restrict",
  ],
  lacks: [
    noMembers("https://developers.google.com/workspace/drive/api/reference/rest/v3"),
    {
      calls: ["files.unlink", "folders.unlink"],
      why: "a link is the item's own address, for people who may open the item anyway; it cannot be taken back",
      page: "https://developers.google.com/workspace/drive/api/reference/rest/v3/files",
    },
  ],
};
