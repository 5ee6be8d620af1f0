// Stands for a module that compile-validators.mjs generates: one function a schema, named <Action>Request or <Action>Response.
export {};
