export { importCsv } from './csv.ts';
export {
  ImportError,
  type Imported,
  type ImportedGroup,
  type ImportedNic,
  type ImportedRule,
  type Omission,
} from './imported.ts';
export { importJson } from './json.ts';
export { importLibvirt } from './libvirt.ts';
export { importOpenNebula } from './opennebula.ts';
export { importProxmox, type ProxmoxFile } from './proxmox.ts';
export { type Written, writeImport } from './write.ts';
