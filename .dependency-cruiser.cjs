// Who may import whom: the dependency rule of ARCHITECTURE.md, checked by `npm run lint`.

const domains = [
  'authorization',
  'transactions',
  'reservations',
  'charging-profiles',
  'balancing',
  'billing',
  'shedding',
  'grid-operator',
  'commissioning',
];
const folders = (names) => `^gateway/(${names.join('|')})/`;
/** The files that may touch the outside: they name adapters, read files and start timers for everybody else. */
const shellOfTheCommandLine = [
  '^gateway/compose\\.ts$',
  '^gateway/compose-[^/]+\\.ts$',
  '^gateway/main\\.ts$',
  '^gateway/cli-[^/]+\\.ts$',
  '^gateway/system-clock\\.ts$',
  '^gateway/system-machine\\.ts$',
];

/** Runs in a browser, and is bundled with the packages that it needs. */
const PAGE = '^adapters/console/page/';

/** What may be imported from the files that `from` matches: everything else is an error. */
const only = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Two files that need each other are one thing, or hide a third.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      comment: 'An import that leads nowhere.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependencies-in-the-product',
      severity: 'error',
      comment: 'What ships may need only what is installed in production; types vanish at compile time.',
      from: { path: '^(gateway|adapters|site-config|simulation)/', pathNot: ['/compile-[^/]+\\.mjs$', PAGE] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    only(
      'kernel-alone',
      { path: folders(['kernel']) },
      { path: '^(gateway|adapters|site-config|simulation|test)/', pathNot: folders(['kernel']) },
      'The kernel knows nobody.',
    ),
    only(
      'site-sees-kernel',
      { path: folders(['site']) },
      { path: '^(gateway|adapters|site-config|simulation|test)/', pathNot: folders(['kernel', 'site']) },
      'The model of a site stands on units and ids only.',
    ),
    only(
      'ports-see-kernel-and-site',
      { path: folders(['ports']) },
      { path: '^(gateway|adapters|site-config|simulation|test)/', pathNot: folders(['kernel', 'site', 'ports']) },
      'A contract speaks of the site, not of who fulfils it.',
    ),
    ...domains.map((domain) =>
      only(
        `${domain}-alone`,
        { path: folders([domain]) },
        { path: '^(gateway|adapters|site-config|simulation|test)/', pathNot: folders(['kernel', 'site', domain]) },
        'A domain decides by itself; the shell brings domains together.',
      ),
    ),
    only(
      'views-below-the-shell',
      { path: folders(['views']) },
      { path: '^(gateway/[^/]+\\.ts$|adapters/|site-config/|simulation/|test/)' },
      'A view sees the domains and the ports, never the shell.',
    ),
    only(
      'core-knows-no-adapter',
      { path: '^gateway/', pathNot: shellOfTheCommandLine },
      { path: '^(adapters|site-config|simulation|test)/' },
      'Only compose, main and the command line name the outside.',
    ),
    only(
      'nobody-imports-compose',
      { path: '^(gateway|adapters|site-config|simulation)/', pathNot: shellOfTheCommandLine },
      { path: shellOfTheCommandLine },
      'What wires everything is imported by nothing.',
    ),
    only(
      'core-has-no-io',
      // A digest is arithmetic: the same for the same text, and touches nothing.
      { path: '^gateway/', pathNot: [...shellOfTheCommandLine, '^gateway/site/token-alias\\.ts$'] },
      { dependencyTypes: ['core'] },
      'The core is handed a clock and ports; it touches neither files nor sockets.',
    ),
    only(
      'core-has-no-packages',
      { path: '^gateway/', pathNot: shellOfTheCommandLine },
      {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
        pathNot: 'node_modules/lru-cache/',
      },
      'The core needs no package but its cache.',
    ),
    only(
      'adapter-sees-no-sibling',
      { path: '^adapters/([^/]+)/' },
      { path: '^adapters/', pathNot: '^adapters/($1|ocpp-j|modbus)/' },
      'An adapter knows the gateway, not its neighbours; ocpp-j and modbus are shared wires.',
    ),
    only(
      'adapter-sees-contracts',
      { path: '^adapters/' },
      {
        path: '^(gateway|site-config|simulation|test)/',
        pathNot: '^(gateway/(kernel|site|ports)/|site-config/devices/)',
      },
      'An adapter adapts to kernel, site and ports; device profiles are data.',
    ),
    only(
      'page-sees-the-contract',
      { path: PAGE },
      {
        path: '^(gateway|adapters|site-config|simulation|test)/',
        pathNot: [PAGE, '^gateway/ports/(console|console-users|configuration|commissioning)\\.ts$'],
      },
      'The page knows of the gateway what it is answered, and nothing else.',
    ),
    only(
      'page-takes-only-types',
      { path: PAGE },
      { path: '^gateway/', dependencyTypesNot: ['type-only'] },
      'What is answered is data: no code of the gateway runs in a browser.',
    ),
    only(
      'page-is-served-not-imported',
      { path: '^(gateway|adapters|site-config|simulation)/', pathNot: PAGE },
      { path: PAGE },
      'The server hands its files out.',
    ),
    only(
      'shared-wire-sees-no-adapter',
      { path: '^adapters/(ocpp-j|modbus)/' },
      { path: '^adapters/', pathNot: '^adapters/$1/' },
      'A wire carries; it does not know who uses it.',
    ),
    only(
      'profiles-see-the-modbus-wire',
      { path: '^site-config/devices/' },
      {
        path: '^(gateway|adapters|simulation|test)/',
        pathNot: '^(gateway/(kernel|site)/|adapters/modbus/(device-profile|charger-behaviour|register-value)\\.ts$)',
      },
      'A profile is data, of the shape that the Modbus wire reads.',
    ),
    only(
      'site-config-sees-the-model',
      { path: '^site-config/', pathNot: '^site-config/devices/' },
      { path: '^(gateway|adapters|simulation|test)/', pathNot: '^gateway/((kernel|site)/|balancing/full-load\\.ts$)' },
      'Reading site.yaml needs the model of a site and nothing that runs it, but for the one arithmetic of currents.',
    ),
    only(
      'simulation-speaks-protocols',
      { path: '^simulation/' },
      { path: '^(gateway|adapters|test)/', pathNot: '^(gateway/(kernel|site|ports)/|adapters/(ocpp-j|modbus|mqtt)/)' },
      'Simulated devices meet the gateway on the wire, not in its code.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^out/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.cjs', '.js', '.json', '.d.ts'],
    },
    skipAnalysisNotInRules: true,
  },
};
