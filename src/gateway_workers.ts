export { createGateway } from './gateway/on_workers.ts'
