import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AppError } from '../errors.ts'
import { ChannelParams } from '../schemas/channel.ts'
import { answers } from '../schemas/common.ts'
import { ChannelReportParams, Report, ReportPage, ReportParams, ReportQuery, Settlement } from '../schemas/report.ts'
import type { Reports } from '../services/reports.ts'

const security = [{ bearer: [] }]
const ofChannel = { tags: ['moderation'], security }
const ofAll = { tags: ['admin'], security }

/** Lists and settles reports [P49]: those of a channel for its moderators, and all of them for admins. */
const routes: FastifyPluginAsyncTypebox<{ reports: Reports }> = async (app, { reports }) => {
  app.requireUser()

  app.get('/api/channels/:name/reports', {
    schema: {
      ...ofChannel,
      operationId: 'list_reports',
      summary: 'Reports of the channel\'s messages, newest first, for its moderators',
      params: ChannelParams,
      querystring: ReportQuery,
      response: answers(200, ReportPage)
    }
  }, request => reports.list(request.actor, request.params.name, request.query))

  app.patch('/api/channels/:name/reports/:id', {
    schema: {
      ...ofChannel,
      operationId: 'settle_report',
      summary: 'Settle a report; the first resolution stays',
      params: ChannelReportParams,
      body: Settlement,
      response: answers(200, Report)
    }
  }, ({ actor, params, body }) => reports.settle(actor, params.name, params.id, body.resolution))

  await app.register(adminRoutes, { reports })
}

/** Users who are no admins get `not_authorized` before fields are checked. The statements check the role again [P55]. */
const adminRoutes: FastifyPluginAsyncTypebox<{ reports: Reports }> = async (app, { reports }) => {
  app.addHook('preValidation', async request => {
    if (request.user.role !== 'admin') throw new AppError('not_authorized')
  })

  app.get('/api/admin/reports', {
    schema: {
      ...ofAll,
      operationId: 'list_all_reports',
      summary: 'All reports, newest first, also those of deleted channels',
      querystring: ReportQuery,
      response: answers(200, ReportPage)
    }
  }, request => reports.list(request.actor, null, request.query))

  app.patch('/api/admin/reports/:id', {
    schema: {
      ...ofAll,
      operationId: 'settle_any_report',
      summary: 'Settle any report; the first resolution stays',
      params: ReportParams,
      body: Settlement,
      response: answers(200, Report)
    }
  }, ({ actor, params, body }) => reports.settle(actor, null, params.id, body.resolution))
}

export default routes
