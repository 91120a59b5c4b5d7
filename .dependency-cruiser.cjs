/** Imports run one way: handlers -> core -> ports <- aws; connectors are leaves; lib knows function folders by path only. */
module.exports = {
  forbidden: [
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
      comment: "a connector is data; a hook may use the VendorHttp port",
      severity: "error",
      from: { path: "^functions/connectors" },
      to: {
        path: "^functions/",
        pathNot: "^functions/(connectors/|core/(vendor-http|errors|present)\\.ts|core/vendor-answer/)",
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
