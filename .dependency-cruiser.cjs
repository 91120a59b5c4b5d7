/** Imports run one way: handlers -> core -> ports <- aws; connectors are leaves; lib knows function folders by path only. */

/** The floors of the grant's house, from the ground up: what lies on one uses those below it, and none above. */
const FLOORS = [
  "store",
  "consent",
  "revocation",
  "refresh",
  "sign-in",
  "pending",
  "rescue",
  "schedule",
  "operator",
];

module.exports = {
  forbidden: [
    ...FLOORS.slice(0, -1).map((floor, level) => ({
      name: `grant-${floor}-uses-what-lies-below`,
      severity: "error",
      from: { path: `^functions/core/grant/${floor}/` },
      to: { path: `^functions/core/grant/(${FLOORS.slice(level + 1).join("|")})/` },
    })),
    {
      name: "grant-ground-uses-no-floor",
      severity: "error",
      from: { path: "^functions/core/grant/[^/]+$" },
      to: { path: "^functions/core/grant/[^/]+/" },
    },
    {
      name: "vault-and-instances-are-the-ground",
      comment: "what seals and what is stored knows no tenants, no OAuth and no connectors' endpoints",
      severity: "error",
      from: { path: "^functions/core/(vault|instances)/" },
      to: { path: "^functions/core/(oauth|tenants|endpoint|work-queue)/" },
    },
    {
      name: "grant-is-the-highest-of-the-core",
      comment: "what a grant's life is made of knows nothing of it",
      severity: "error",
      from: { path: "^functions/core/(connectors|endpoint|instances|oauth|tenants|vault|vendor-answer)/" },
      to: { path: "^functions/core/grant/" },
    },
    {
      name: "core-knows-no-aws",
      comment: "core is plain TypeScript: no AWS, no HTTP server, no handler",
      severity: "error",
      from: { path: "^functions/core" },
      to: {
        path: "^(functions/(aws|http|vendor-http|authorization|connections|documents|proxy|refresh-sweep|worker)/|lib|local|bin|node_modules/(@aws-sdk|@middy|aws-lambda))",
      },
    },
    {
      name: "connectors-are-leaves",
      comment:
        "a connector is data; a hook may use the VendorHttp port. The index, made at build, tells what a hub's vendors can",
      severity: "error",
      from: { path: "^functions/connectors", pathNot: "^functions/connectors/make-index\\.ts$" },
      to: {
        path: "^functions/",
        pathNot:
          "^functions/(connectors/|core/(vendor-http|errors|present|read-once)\\.ts|core/vendor-answer/)",
      },
    },
    {
      name: "aws-side-knows-no-handler",
      severity: "error",
      from: { path: "^functions/(aws|vendor-http)" },
      to: { path: "^functions/(authorization|connections|documents|proxy|refresh-sweep|worker|http)/" },
    },
    {
      name: "functions-do-not-import-each-other",
      severity: "error",
      from: { path: "^functions/(authorization|connections|documents|proxy|refresh-sweep|worker)/" },
      to: {
        path: "^functions/(authorization|connections|documents|proxy|refresh-sweep|worker)/",
        pathNot: "^functions/$1/",
      },
    },
    {
      name: "functions-know-no-platform",
      comment: "the same bundles run on AWS: nothing of the local platform or the stacks may be in them",
      severity: "error",
      from: { path: "^functions/" },
      to: { path: "^(local|lib|bin|test)/" },
    },
    {
      name: "stacks-know-functions-by-path",
      severity: "error",
      from: { path: "^(lib|bin/app)" },
      to: { path: "^(functions|local)/" },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-dev-dependencies-at-runtime",
      severity: "error",
      from: { path: "^(functions|lib|bin/(app|admin))" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".js", ".mjs", ".json"] },
  },
};
