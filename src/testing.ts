export { storeContract, type StoreContractOptions } from './testing/store_contract.ts'
