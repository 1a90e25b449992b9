# One image for every role; docker-compose.yml gives each service its command.
FROM node:24-bookworm-slim

WORKDIR /app

# The manifests first: the layer with the dependencies is built anew only when they change.
COPY package.json package-lock.json .npmrc tsconfig.base.json ./
COPY apps ./apps
COPY packages ./packages
RUN npm ci --omit=dev --no-audit --no-fund
RUN npm run build --workspace @updraft/web-ui
COPY dags ./dags
COPY prometheus.yml ./prometheus.yml
RUN mkdir -p .updraft && chown -R node:node .updraft

ENV NODE_ENV=production
USER node
EXPOSE 8080
ENTRYPOINT ["node", "apps/cli/src/main.ts"]
CMD ["--help"]
