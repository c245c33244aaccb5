/**
 * Images: content-addressed configurations and layers, their names, and the ways in and out (load, save, import, commit, bootstrap).
 * Nothing becomes visible before all that it names is stored and its digest checked.
 */
export type * from './port.ts'
