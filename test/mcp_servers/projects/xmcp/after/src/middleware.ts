import { protectExpress, toExpressHandler } from '@mcp-oauth/server/express'
import { auth } from './mcp_oauth'

export default [toExpressHandler(auth), protectExpress(auth)]
