// The HTTP API as types, made from its OpenAPI document: npm run docs

export interface paths {
    "/api/compaction/upload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Upload a Parquet file, or several tables end to end in one object */
        post: {
            parameters: {
                query?: {
                    /** @description beside a body that is the file itself; a form has it as a field */
                    datasetId?: string;
                    /** @description beside a body that is the file itself; a form has it as a field */
                    tableId?: string;
                    /** @description beside a body that is the file itself; a form has it as a field */
                    periodTag?: string;
                    /** @description beside a body that is the file itself; a form has it as a field */
                    tableOffsets?: string;
                    /** @description beside a body that is the file itself; a form has it as a field */
                    fileName?: string;
                    /** @description beside a body that is the file itself; a form has it as a field */
                    replaces?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/vnd.apache.parquet": unknown;
                    "application/octet-stream": unknown;
                    "application/x-parquet": unknown;
                    "multipart/form-data": {
                        datasetId: string;
                        /** @description needed unless tableOffsets names the tables */
                        tableId?: string;
                        /** @default 0 */
                        periodTag?: string;
                        /** @description JSON: [{table_name, start_byte, byte_length, format: "parquet"}] */
                        tableOffsets?: string;
                        fileName?: string;
                        /**
                         * Format: uuid
                         * @description a file of the dataset that was uploaded and is not merged yet: it goes as this one comes, in one version
                         */
                        replaces?: string;
                        /** Format: binary */
                        file: string;
                    };
                };
            };
            responses: {
                /** @description Stored and registered; it is merged once enough has come, or has waited long enough */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["UploadAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_form`: The body is not a multipart form; `length_mismatch`: The body is not as long as declared */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours; `quota_exceeded`: The owner has as much as they may */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_file`: No such file */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `file_superseded`: The file was merged into another */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `length_required`: The length of the body must be declared */
                411: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `invalid_table_offsets`: The table offsets do not divide the object; `invalid_parquet`: The file is not readable Parquet; `unsupported_parquet`: The file uses a Parquet feature that is not supported; `schema_rejected`: The table takes files of one schema */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate_limited`: Too many requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `overloaded`: Too much is under way at this moment; `storage_unavailable`: The object store does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin to upload a Parquet file in parts, or resume: the same content is the same upload */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["OpenUploadRequest"];
                };
            };
            responses: {
                /** @description The upload that you have begun before */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ResumableUpload"];
                    };
                };
                /** @description A new upload, which takes parts until it expires */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ResumableUpload"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours; `quota_exceeded`: The owner has as much as they may */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate_limited`: Too many requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/uploads/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An upload in parts: which parts are there */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The upload as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ResumableUpload"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_upload`: No such upload */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** Give up an upload in parts; what is stored of it goes */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It takes nothing more, and is soon forgotten */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AbortUploadAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_upload`: No such upload */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `upload_ended`: The upload has ended */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/uploads/{id}/parts/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Send one part of an upload, in any order; the same part again changes nothing */
        put: {
            parameters: {
                query?: never;
                header?: {
                    "Content-Digest"?: string;
                };
                path: {
                    id: string;
                    number: number;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/octet-stream": unknown;
                };
            };
            responses: {
                /** @description The part is stored */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["UploadPart"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `length_mismatch`: The body is not as long as declared */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_upload`: No such upload */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `upload_ended`: The upload has ended */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `length_required`: The length of the body must be declared */
                411: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `digest_mismatch`: The bytes are not those that were declared */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate_limited`: Too many requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/uploads/{id}/complete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check and register an upload whose parts are all there; repeating the call gives the same answer */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Registered, as an upload in one request is */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["UploadAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours; `quota_exceeded`: The owner has as much as they may */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_upload`: No such upload; `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `upload_ended`: The upload has ended; `upload_incomplete`: Parts of the upload are missing */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `digest_mismatch`: The bytes are not those that were declared; `invalid_parquet`: The file is not readable Parquet; `unsupported_parquet`: The file uses a Parquet feature that is not supported; `schema_rejected`: The table takes files of one schema */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `overloaded`: Too much is under way at this moment; `storage_unavailable`: The object store does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compaction/sanitize-state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Compact a dataset now, or one table or period of it */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["SanitizeRequest"];
                };
            };
            responses: {
                /** @description A job is queued, or was already */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SanitizeAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate_limited`: Too many requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compaction/trigger-scheduled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Queue jobs for datasets that need compaction, the one whose last attempt is oldest first */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["TriggerRequest"];
                };
            };
            responses: {
                /** @description What was queued */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TriggerAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compaction/dlq-status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Dead jobs, and what the dead-letter queue brought, newest first; the counts are of all that match */
        get: {
            parameters: {
                query?: {
                    code?: string;
                    datasetId?: string;
                    open?: "true" | "false";
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What failed for good */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DlqStatus"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compaction/dlq/{id}/acknowledge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Close a dead letter that nobody needs to look at any more; one that is closed stays as it is */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is closed */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AcknowledgeAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_letter`: No such dead letter */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compaction/redrive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try dead jobs again that meet every filter, at most 100 a call; without jobIds those that nobody has tried again, so that repeating the call goes on */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["RedriveRequest"];
                };
            };
            responses: {
                /** @description A dry run: what would be tried again */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RedriveAnswer"];
                    };
                };
                /** @description What is tried again; jobs that are not dead, or not yours, are left out */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RedriveAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate_limited`: Too many requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jobs, newest first */
        get: {
            parameters: {
                query?: {
                    state?: "queued" | "running" | "succeeded" | "dead" | "cancelled";
                    kind?: "compaction";
                    datasetId?: string;
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobsPage"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counts and ages of jobs, and whether all is well */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What only operators may see is null for a user */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobStatus"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One job */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The job */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Job"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_job`: No such job */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** Cancel a job: a queued one at once, a running one at its next step */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Cancelled */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CancelAnswer"];
                    };
                };
                /** @description It ends at its next step */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CancelAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_job`: No such job */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `job_ended`: The job has ended */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Follow a job by Server-Sent Events: `progress` with the job whenever it changed, `end` when it has ended. The connection ends after five minutes at the most; clients come back with Last-Event-ID and go on. */
        get: {
            parameters: {
                query?: never;
                header?: {
                    "Last-Event-ID"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The events */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": unknown;
                    };
                };
                /** @description The client has seen the end, and need not come back */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_job`: No such job */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate_limited`: Too many requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask again for the work of a dead or cancelled job, by a new job */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description jobId is of the job that does it now */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RetryAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_job`: No such job */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `job_not_dead`: Only a dead or cancelled job can be retried */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate_limited`: Too many requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files of one version of a dataset, in order of table, period tag and id */
        get: {
            parameters: {
                query?: {
                    table?: string;
                    period?: string;
                    version?: number;
                    quarantined?: "include" | "exclude" | "only";
                    cursor?: string;
                    links?: "plain" | "signed";
                    limit?: number;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page; every row lies in exactly one file */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FilesPage"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_version`: The dataset has no such version yet */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `version_gone`: Vacuum has removed this version */
                410: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The bytes of a file, whole or one range; HEAD tells its length */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The file */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.apache.parquet": unknown;
                    };
                };
                /** @description The range */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.apache.parquet": unknown;
                    };
                };
                /** @description If-None-Match names the file as it is */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_file`: No such file */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `precondition_failed`: The file is not the one that was named */
                412: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `range_not_satisfiable`: The range lies outside the file */
                416: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `object_missing`: An object named by the catalog is not in the bucket; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** Take a live file, and all rows in it, out of its dataset; earlier versions keep it until vacuum */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is in no later version; repeating the call says so again */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DiscardAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_file`: No such file */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `file_superseded`: The file was merged into another */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/acknowledge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Know of the files that are in quarantine now: the alert of files set aside counts only later ones */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["AcknowledgeRequest"];
                };
            };
            responses: {
                /** @description How many were news */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AcknowledgeAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let merges take a file again that is in quarantine, after its object was mended */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The next merge of its table tries it */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ReleaseAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_file`: No such file */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `file_not_quarantined`: The file is not in quarantine */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who the token or key is */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The caller */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Me"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What you may use, and what you use */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The limits */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LimitsOfOwner"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Your keys, newest first, also those that were revoked or have expired; never the keys themselves */
        get: {
            parameters: {
                query?: {
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["KeysPage"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /** Make a key for a program: it acts for you, within its scopes and datasets, until it is revoked */
        post: {
            parameters: {
                query?: {
                    as?: "key" | "delta-sharing-profile";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["KeyRequest"];
                };
            };
            responses: {
                /** @description The key, shown once; Location is where it is revoked */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CreatedKey"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours; `quota_exceeded`: The owner has as much as they may */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a key: the database refuses it at once, the edge within a minute */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is revoked; repeating the call says so again */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AccessKey"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_key`: No such key */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Datasets that you own or that were shared with you, in order of id; for an operator all */
        get: {
            parameters: {
                query?: {
                    scope?: "own" | "shared" | "public" | "all" | "deleted";
                    prefix?: string;
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DatasetsPage"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A dataset: its sizes, versions and settings */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The dataset as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Dataset"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /** Take the id of a dataset before the first upload */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It was yours already */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnedDataset"];
                    };
                };
                /** @description It is yours */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnedDataset"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours; `quota_exceeded`: The owner has as much as they may */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        post?: never;
        /** Delete a dataset with all its data; it can be restored until its retention is over */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is empty and in no list; repeating the call changes nothing */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeletionAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        /** Change settings of a dataset: what is left out stays, null goes back to the default */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["ConfigureDatasetRequest"];
                };
            };
            responses: {
                /** @description The settings as they are now; they apply from the next plan on */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConfigureDatasetAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/datasets/{id}/tables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tables of a dataset that have data, in order of name */
        get: {
            parameters: {
                query?: {
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TablesPage"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/tables/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A table, or one period of it, as one Parquet file: whole, or any range of it; HEAD tells its length */
        get: {
            parameters: {
                query?: {
                    period?: string;
                };
                header?: never;
                path: {
                    id: string;
                    file: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description All of a version that is pinned by @ */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.apache.parquet": unknown;
                    };
                };
                /** @description The range */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.apache.parquet": unknown;
                    };
                };
                /** @description If-None-Match names the table as it is */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description All of the newest version, which is read as a pinned one */
                307: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_table`: No such table; `unknown_version`: The dataset has no such version yet */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `version_gone`: Vacuum has removed this version; `bytes_gone`: Vacuum has removed these bytes */
                410: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `precondition_failed`: The file is not the one that was named */
                412: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `range_not_satisfiable`: The range lies outside the file */
                416: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `table_refused`: The table cannot be read as one file */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `object_missing`: An object named by the catalog is not in the bucket; `corrupt_file`: A live file cannot be read; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer; `overloaded`: Too much is under way at this moment */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/tables/{table}/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a link under which anybody reads the table as one Parquet file, until it expires */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["TableLinkRequest"];
                };
            };
            responses: {
                /** @description The link */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TableLink"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/tables/{table}/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lines that read the table in an engine, with a link in them that works for a day */
        get: {
            parameters: {
                query: {
                    for: "duckdb" | "polars" | "pandas" | "pyarrow" | "clickhouse" | "spark" | "hyparquet";
                    period?: string;
                    version?: number;
                };
                header?: never;
                path: {
                    id: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description To be pasted as it is */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": unknown;
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_table`: No such table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `table_refused`: The table cannot be read as one file */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `object_missing`: An object named by the catalog is not in the bucket; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer; `overloaded`: Too much is under way at this moment */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/tables/{table}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A table: its schemas, files by tier, settings, and why small files are not merged yet */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The table as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Table"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_table`: No such table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer; `overloaded`: Too much is under way at this moment */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** Delete all data of a table; it can be restored until the retention of the dataset is over */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description No later version has it */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeletionAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        /** Change how merges write a table: what is left out stays, null goes back to the default */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["TableSettingsChanges"];
                };
            };
            responses: {
                /** @description The settings as they are now. Later merges apply them; POST /api/compaction/sanitize-state with rewrite applies them to what is merged already */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConfigureTableAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer; `overloaded`: Too much is under way at this moment */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/datasets/{id}/tables/{table}/periods/{period}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete the data of one period of a table; it can be restored until the retention of the dataset is over */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    table: string;
                    period: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description No later version has it */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeletionAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/delta-sharing/shares": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Delta Sharing: datasets that you own or that were shared with you; each is a share */
        get: {
            parameters: {
                query?: {
                    maxResults?: number;
                    pageToken?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeltaShares"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/delta-sharing/shares/{share}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Delta Sharing: one share */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    share: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The share */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeltaShareAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/delta-sharing/shares/{share}/schemas": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Delta Sharing: the schemas of a share, which are one, default */
        get: {
            parameters: {
                query?: {
                    maxResults?: number;
                    pageToken?: unknown;
                };
                header?: never;
                path: {
                    share: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description All of them */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeltaSchemas"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/delta-sharing/shares/{share}/schemas/{schema}/tables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Delta Sharing: the tables of a schema */
        get: {
            parameters: {
                query?: {
                    maxResults?: number;
                    pageToken?: string;
                };
                header?: never;
                path: {
                    share: string;
                    schema: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeltaSharedTables"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_table`: No such table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/delta-sharing/shares/{share}/all-tables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Delta Sharing: the tables of a share */
        get: {
            parameters: {
                query?: {
                    maxResults?: number;
                    pageToken?: string;
                };
                header?: never;
                path: {
                    share: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeltaSharedTables"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/delta-sharing/shares/{share}/schemas/{schema}/tables/{table}/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Delta Sharing: the newest version of a table, or the first at or after a moment */
        get: {
            parameters: {
                query?: {
                    startingTimestamp?: string & (unknown & unknown);
                };
                header?: never;
                path: {
                    share: string;
                    schema: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The version, in the header Delta-Table-Version; the body is empty */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_table`: No such table; `unknown_version`: The dataset has no such version yet */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/delta-sharing/shares/{share}/schemas/{schema}/tables/{table}/metadata": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Delta Sharing: protocol and schema of a table */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    share: string;
                    schema: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Lines of JSON; Delta-Table-Version names the version */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/x-ndjson": unknown;
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_table`: No such table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `table_refused`: The table cannot be read as one file */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `object_missing`: An object named by the catalog is not in the bucket; `corrupt_file`: A live file cannot be read; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer; `overloaded`: Too much is under way at this moment */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/delta-sharing/shares/{share}/schemas/{schema}/tables/{table}/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Delta Sharing: the files of one version of a table, with links and statistics */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    share: string;
                    schema: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["DeltaQueryRequest"];
                };
            };
            responses: {
                /** @description Lines of JSON; Delta-Table-Version names the version */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/x-ndjson": unknown;
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_table`: No such table; `unknown_version`: The dataset has no such version yet */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `version_gone`: Vacuum has removed this version */
                410: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `table_refused`: The table cannot be read as one file */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `object_missing`: An object named by the catalog is not in the bucket; `corrupt_file`: A live file cannot be read; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer; `overloaded`: Too much is under way at this moment */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The versions of a dataset that can be read, newest first, and what each changed */
        get: {
            parameters: {
                query?: {
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["VersionsPage"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/deletions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was deleted from a dataset, newest first, and until when it can be restored */
        get: {
            parameters: {
                query?: {
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeletionsPage"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/deletions/{deletion}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put back what one deletion took */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    deletion: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is in a new version; repeating the call changes nothing */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RestoreAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours; `quota_exceeded`: The owner has as much as they may */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_deletion`: No such deletion */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `uploaded_again`: The data came again */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `deletion_gone`: The deletion is final */
                410: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/{id}/receipt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a merged file was made of: inputs and output with SHA-256 and rows */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The receipt of the merge */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Receipt"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_file`: No such file; `no_receipt`: The file was not merged, or its merge is forgotten */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The webhooks of a dataset, and whether they work */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description At most ten */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WebhookList"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /** Have an address called when a dataset has a new version, or a job of it has ended */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["WebhookRequest"];
                };
            };
            responses: {
                /** @description The webhook with its secret */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["NewWebhook"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours; `quota_exceeded`: The owner has as much as they may */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/webhooks/{webhook}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a webhook; what was not delivered yet is not sent any more */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    webhook: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description There is no such webhook any more */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeleteWebhookAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who may use a dataset beside its owner */
        get: {
            parameters: {
                query?: {
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page, in order of user */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["GrantsPage"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/grants/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Share a dataset: a reader reads, a writer also uploads, a manager does all but hand it over */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    user: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["GrantRequest"];
                };
            };
            responses: {
                /** @description The user has this role, whatever it was before */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["GrantAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_user`: No such user */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `is_owner`: The user owns the dataset */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        post?: never;
        /** End the role of a user; anybody may end their own */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                    user: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The user has no role; repeating the call says so again */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["GrantAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `is_owner`: The user owns the dataset */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/transfer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Hand a dataset over to another user; you keep no right */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["TransferRequest"];
                };
            };
            responses: {
                /** @description It belongs to the other user */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnedDataset"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours; `quota_exceeded`: The owner has as much as they may */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_dataset`: No such dataset; `unknown_user`: No such user */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who changed what, newest first: for a user what they did and what was done to what they own */
        get: {
            parameters: {
                query?: {
                    datasetId?: string;
                    action?: string;
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AuditPage"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{id}/data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete every dataset of a user, revoke their keys and end their roles; by an operator or the user */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Repeat it while there is more */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["UserDataAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admission": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How many jobs may run at once */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The settings as they are now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Admission"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /** Set how many jobs may run at once */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["AdmissionRequest"];
                };
            };
            responses: {
                /** @description The settings as they are now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Admission"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How long history is kept */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The settings as they are now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Retention"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /** Set how long history is kept */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["RetentionRequest"];
                };
            };
            responses: {
                /** @description The settings as they are now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Retention"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jobs, steps, work done, outbox and dead letters, for Prometheus */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The text exposition format, version 0.0.4 */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": unknown;
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vacuum": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A dry run of vacuum: what it would remove and abort now, and why; nothing is changed */
        get: {
            parameters: {
                query?: {
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["VacuumPage"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vacuum/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pause every deletion: nothing is deleted or marked for deletion until the pause is ended */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["PauseRequest"];
                };
            };
            responses: {
                /** @description Paused */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PauseAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /** End the pause of deletions */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deletions go on */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PauseAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vacuum/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accept that so many objects have no row: after one more look they are deleted */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["AcceptOrphansRequest"];
                };
            };
            responses: {
                /** @description The sweep looks once more, and marks them */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AcceptOrphansAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `count_changed`: The figure is another one by now */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/installation/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Decide that this bucket belongs to this catalog: merges and deletions go on */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["AcceptInstallationRequest"];
                };
            };
            responses: {
                /** @description They belong together from now on */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AcceptInstallationAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `count_changed`: The figure is another one by now */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/adopt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Rebuild rows of the catalog from the bucket, page by page: first a scan, then each dataset; can be stopped and repeated at any time */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["AdoptRequest"];
                };
            };
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AdoptAnswer"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unknown_scan`: Another scan has begun since */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer; `storage_unavailable`: The object store does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an owner may use: the defaults, and with `owner` the limits and the usage of that one */
        get: {
            parameters: {
                query?: {
                    owner?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The limits */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LimitsOfOwner"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /** Set limits of one owner, or of every owner without limits of their own */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["LimitsRequest"];
                };
            };
            responses: {
                /** @description The limits as they are now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LimitsOfOwner"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema; `invalid_json`: The body is not JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated`: A bearer token is needed; `invalid_token`: The token is not valid; `token_expired`: The token has expired */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden`: This is not yours */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `request_timeout`: The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `body_too_large`: The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported_media_type`: The content type is not accepted here */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not_configured`: The deployment is not configured; `database_refused`: The database refused the call; `database_mismatch`: The database is of another release than this Worker; `internal`: Something went wrong */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `identity_unavailable`: The issuer of tokens does not answer; `database_unavailable`: The database does not answer */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether this deployment can work: its variables, its database, and writing to its bucket */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It can */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Health"];
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It cannot; see which check failed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Health"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OpenAPI 3.1 */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": unknown;
                    };
                };
                /** @description `invalid_request`: The request does not fit its schema */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        UploadAnswer: {
            /** @constant */
            success: true;
            datasetId: string;
            tableId: string | null;
            periodTag: string;
            fileName: string;
            /** @description bytes */
            fileSize: number;
            rows: number;
            sha256: string;
            /** @description all of it was here already; nothing new is stored */
            duplicate: boolean;
            /** @description it was here already, and what was damaged or missing of it is stored again */
            healed: boolean;
            /** @description of the dataset, from which on all of it is listed */
            version: number;
            /** @description null with tableOffsets: see files */
            fileId: string | null;
            /** @description of each table, in the order of their bytes */
            files: {
                /** Format: uuid */
                fileId: string;
                table: string;
                periodTag: string;
                /** @description the same bytes were here already, perhaps merged since */
                duplicate: boolean;
                /** @description they were here and damaged or missing; these have taken their place */
                healed: boolean;
                /** @description why merges leave it out */
                quarantine: string | null;
                /** @description no file of the table had its schema before */
                newSchema: boolean;
            }[];
            /** @description the job that this upload called for or joined, of a duplicate the newest of the dataset; null as long as too little has come to be worth a job */
            jobId: string | null;
            /** @description with tableOffsets: what was found in each slice */
            tables?: {
                table: string;
                rows: number;
                bytes: number;
                sha256: string;
            }[];
        };
        Problem: {
            /** @description a URN that ends with the code */
            type: string;
            title: string;
            status: number;
            detail: string;
            instance?: string;
            code: string;
            requestId: string;
            errors?: {
                field: string;
                message: string;
            }[];
            /** @description under /api/delta-sharing/: the code, as its clients read it */
            errorCode?: string;
            /** @description under /api/delta-sharing/: the detail */
            message?: string;
        };
        OpenUploadRequest: {
            table: string;
            periodTag?: string;
            fileName?: string;
            /** @description at most 1073741824 */
            byteLength: number;
            /** @description of the whole file, in hexadecimal */
            sha256: string;
        };
        ResumableUpload: {
            /** Format: uuid */
            uploadId: string;
            datasetId: string;
            table: string;
            periodTag: string;
            fileName: string | null;
            byteLength: number;
            sha256: string;
            /** @description of every part but the last, which has the rest */
            partBytes: number;
            /** @description how many; their numbers begin with 1 */
            parts: number;
            /** @description numbers of the parts that are there */
            storedParts: number[];
            /** @enum {string} */
            state: "open" | "completed" | "refused" | "aborted" | "expired";
            /** @description an open upload is dropped then, one that has ended is forgotten */
            expiresAt: string;
        };
        UploadPart: {
            /** Format: uuid */
            uploadId: string;
            number: number;
            byteLength: number;
            sha256: string;
        };
        AbortUploadAnswer: {
            /** @constant */
            success: true;
            /** Format: uuid */
            uploadId: string;
        };
        SanitizeRequest: {
            datasetId: string;
            table?: string;
            periodTag?: string;
            /** @description also files that are merged already, if they were written with other settings than those of now */
            rewrite?: boolean;
        };
        SanitizeAnswer: {
            /** @constant */
            success: true;
            datasetId: string;
            /** Format: uuid */
            jobId: string;
            message: string;
        };
        TriggerRequest: {
            /**
             * @description datasets at the most
             * @default 10
             */
            limit?: number;
        };
        TriggerAnswer: {
            /** @constant */
            success: true;
            enqueued: number;
            datasets: {
                datasetId: string;
                /** Format: uuid */
                jobId: string;
            }[];
            /** @description datasets that still wait; call again while it is not 0 */
            remaining: number;
        };
        DlqStatus: {
            /** @constant */
            success: true;
            total: number;
            workflow_failures: {
                count: number;
                records: {
                    /** Format: uuid */
                    job_id: string;
                    dataset_id: string;
                    attempt: number;
                    code: string;
                    step: string | null;
                    message: string | null;
                    finished_at: string;
                    /** @description the job that does its work since somebody asked again */
                    retried_as: string | null;
                }[];
                unreadable?: components["schemas"]["UnreadableRow"][];
            };
            dlq_failures: {
                count: number;
                records: {
                    id: number;
                    queue: string;
                    message_id: string;
                    dataset_id: string | null;
                    job_id: string | null;
                    code: string;
                    message: string;
                    attempts: number;
                    body: components["schemas"]["AnyJson"];
                    received_at: string;
                    /** @description null while somebody should look at it */
                    closed_at: string | null;
                    closed_how: ("retried" | "succeeded" | "acknowledged") | null;
                }[];
                unreadable?: components["schemas"]["UnreadableRow"][];
            };
            /** @description of both lists; null when both are at their end */
            next_cursor: string | null;
        };
        /** @description a row that could not be read; tell the operator what identifies it */
        UnreadableRow: {
            /** @description place in the list, counted with the readable rows, from 0 */
            index: number;
            /** @description the fields that identify the row */
            row: {
                [key: string]: string;
            };
        };
        AnyJson: unknown;
        AcknowledgeAnswer: {
            /** @constant */
            success: true;
            files: number;
        };
        RedriveRequest: {
            jobIds?: string[];
            datasetId?: string;
            /** @description of the error the jobs died of */
            code?: string;
            /**
             * @description only list what would be tried again
             * @default false
             */
            dryRun?: boolean;
        };
        RedriveAnswer: {
            /** @constant */
            success: true;
            dryRun: boolean;
            jobs: {
                /**
                 * Format: uuid
                 * @description the dead job
                 */
                jobId: string;
                datasetId: string;
                /**
                 * Format: uuid
                 * @description the job that does its work now; dead jobs can share one
                 */
                newJobId?: string;
            }[];
        };
        JobsPage: {
            jobs: components["schemas"]["Job"][];
            unreadable?: components["schemas"]["UnreadableRow"][];
            nextCursor: string | null;
        };
        Job: {
            /** Format: uuid */
            id: string;
            /** @enum {string} */
            kind: "compaction";
            /** @enum {string} */
            state: "queued" | "running" | "succeeded" | "dead" | "cancelled";
            /** @enum {string} */
            priority: "realtime" | "manual" | "scheduled";
            datasetId: string;
            table: string | null;
            periodTag: string | null;
            metricId: string | null;
            /**
             * @description which files it merges: what is due, what the tiers let merge, all
             * @enum {string}
             */
            reach: "due" | "tiers" | "all" | "rewrite";
            triggers: number;
            attempt: number;
            maxAttempts: number;
            cancelRequested: boolean;
            progress: {
                step: string | null;
                mergesPlanned: number;
                mergesCommitted: number;
                /** @description merges whose inputs were set aside until too few were left */
                mergesLeftOut: number;
                /** @description of the attempt that runs, or ran last */
                stepsDone: number;
                /** @description null until the attempt has its plan */
                stepsPlanned: number | null;
                filesIn: number;
                filesOut: number;
                /** @description filesIn when all is done; so with rows and bytes */
                filesPlanned: number;
                rowsIn: number;
                rowsOut: number;
                rowsPlanned: number;
                bytesIn: number;
                bytesOut: number;
                bytesPlanned: number;
            };
            /** @description seconds that each step took when it was last done */
            steps: {
                [key: string]: number;
            };
            error: {
                code: string;
                step: string | null;
                message: string | null;
            } | null;
            /** @description what ended each attempt that failed */
            failures: {
                attempt: number;
                code: string;
                step: string | null;
                message: string | null;
                at: string;
            }[];
            /** @description succeeded, and some of its files could not be merged: see setAside */
            partial: boolean;
            /** @description files that it put into quarantine; the first 20 by name, all by the listing of files */
            setAside: {
                count: number;
                files: {
                    /** Format: uuid */
                    fileId: string;
                    table: string;
                    periodTag: string;
                    code: string;
                    message: string;
                }[];
            };
            result: components["schemas"]["AnyJson"] | null;
            /** @description the job that does its work since somebody asked again */
            retriedAs: string | null;
            createdAt: string;
            /** @description since when it has a slot; null as long as it waits for one */
            admittedAt: string | null;
            dispatchedAt: string | null;
            startedAt: string | null;
            finishedAt: string | null;
            leaseUntil: string | null;
        };
        JobStatus: {
            jobs: {
                [key: string]: number;
            };
            jobsByKind: {
                [key: string]: {
                    [key: string]: number;
                };
            };
            oldestQueuedSeconds: number | null;
            /** @description of jobs that wait for a slot or the queue, and not for another job of their dataset */
            oldestWaitingSeconds: number | null;
            /** @description for running jobs; taken also by jobs whose message is under way */
            slots: {
                taken: number;
                all: number;
            } | null;
            expiredLeases: number;
            datasetsWaiting: number;
            quarantinedFiles: number;
            installation: {
                /** Format: uuid */
                id: string;
                /** @description while there is one, nothing is merged or deleted */
                problem: ("unclaimed_bucket" | "missing_stamp" | "foreign_bucket" | "catalog_restored") | null;
                problemSince: string | null;
                /** @description the installation id that was last read from the bucket */
                bucketId: string | null;
                /** @description an operator has paused all deletions */
                paused: {
                    since: string;
                    by: string;
                    reason: string | null;
                } | null;
                /** @description what the last round over all objects found */
                sweep: {
                    objects: number | null;
                    orphans: number | null;
                    /** @description since when each round found too many orphans */
                    stoppedSince: string | null;
                    acceptedOrphans: number | null;
                } | null;
                /** @description objects without a row that adoption left to a person */
                keptObjects: number;
            } | null;
            outbox: {
                open: number;
                dead: number;
                /** @description of the dead ones, alerts that a channel did not take */
                deadAlerts: number;
                oldestSeconds: number | null;
                oldestDueSeconds: number | null;
            } | null;
            deadLetters: {
                /** @description letters whose work nobody has asked for again */
                open: number;
                oldestSeconds: number | null;
            } | null;
            /** @description those that stand */
            alerts: {
                kind: string;
                /** @enum {string} */
                severity: "critical" | "error" | "warning";
                summary: string;
                raisedAt: string;
                /** @description channels that were told, or are about to be */
                told: string[];
            }[] | null;
            /** @description the last run of the cron to its end, also one of which chores failed */
            cron: {
                lastRunAt: string;
                ageSeconds: number;
            } | null;
            /** @description alerts that could not be read */
            unreadable?: components["schemas"]["UnreadableRow"][];
            health: {
                ok: boolean;
                reasons: string[];
            };
        };
        CancelAnswer: {
            /** @constant */
            success: true;
            /** Format: uuid */
            jobId: string;
            /** @enum {string} */
            outcome: "cancelled" | "cancelling";
        };
        RetryAnswer: {
            /** @constant */
            success: true;
            /** Format: uuid */
            jobId: string;
            message: string;
        };
        FilesPage: {
            datasetId: string;
            version: number;
            files: {
                /** Format: uuid */
                id: string;
                table: string;
                periodTag: string;
                level: number;
                rows: number;
                rowGroups: number;
                bytes: number;
                sha256: string;
                quarantine: string | null;
                createdAt: string;
                /** Format: uri */
                url: string;
            }[];
            unreadable?: components["schemas"]["UnreadableRow"][];
            nextCursor: string | null;
        };
        AcknowledgeRequest: {
            datasetId?: string;
            /** @description why the files are in quarantine */
            code?: string;
        };
        DiscardAnswer: {
            /** @constant */
            success: true;
            /** Format: uuid */
            fileId: string;
            datasetId: string;
            table: string;
            periodTag: string;
            rows: number;
            /** @description the first version without the file */
            version: number;
        };
        ReleaseAnswer: {
            /** @constant */
            success: true;
            /** Format: uuid */
            fileId: string;
            datasetId: string;
            /** @description why it was in quarantine */
            code: string;
        };
        Me: {
            /** @enum {string} */
            kind: "user" | "key" | "operator";
            /** @description what others need to share a dataset with you */
            userId: string | null;
            keyId: string | null;
            /** @description of the key; null: no key */
            scopes: ("read" | "upload" | "manage")[] | null;
        };
        LimitsOfOwner: {
            /** @description of every owner without limits of their own */
            defaults: components["schemas"]["Limits"];
            owner: {
                /** Format: uuid */
                id: string;
                limits: components["schemas"]["Limits"];
                usage: components["schemas"]["Limits"];
            } | null;
        };
        Limits: {
            datasets: number;
            /** @description files of the newest versions; those that were merged away do not count */
            liveFiles: number;
            /** @description bytes of these files */
            liveBytes: number;
            /** @description new jobs that the owner asked for; uploads and the daily round do not count */
            jobsByHandPerHour: number;
            /** @description connections that follow a job, at the same time */
            eventStreams: number;
            /** @description uploads in parts that are open, at the same time */
            openUploads: number;
        };
        KeyRequest: {
            /** @description what it is for, such as the device that holds it */
            name: string;
            /** @description what it may do, each by itself */
            scopes: ("read" | "upload" | "manage")[];
            /** @description ids of datasets, or beginnings of ids that end in *; left out: every dataset of yours */
            datasets?: string[];
            /** @description left out: it does not expire */
            expiresAt?: string & (unknown & unknown);
        };
        CreatedKey: components["schemas"]["NewAccessKey"] | components["schemas"]["DeltaSharingProfile"];
        NewAccessKey: {
            /** Format: uuid */
            id: string;
            name: string;
            /** @description the first characters of the key */
            hint: string;
            scopes: ("read" | "upload" | "manage")[];
            /** @description patterns of dataset ids; null: every dataset */
            datasets: string[] | null;
            createdAt: string;
            expiresAt: string | null;
            /** @description to the hour */
            lastUsedAt: string | null;
            revokedAt: string | null;
            /** @enum {string} */
            state: "active" | "expired" | "revoked";
            /** @description to be sent as Authorization: Bearer; it is shown only now */
            key: string;
        };
        DeltaSharingProfile: {
            /** @constant */
            shareCredentialsVersion: 1;
            /** Format: uri */
            endpoint: string;
            /** @description the key; it is shown only now */
            bearerToken: string;
            expirationTime?: string;
        };
        KeysPage: {
            keys: components["schemas"]["AccessKey"][];
            nextCursor: string | null;
        };
        AccessKey: {
            /** Format: uuid */
            id: string;
            name: string;
            /** @description the first characters of the key */
            hint: string;
            scopes: ("read" | "upload" | "manage")[];
            /** @description patterns of dataset ids; null: every dataset */
            datasets: string[] | null;
            createdAt: string;
            expiresAt: string | null;
            /** @description to the hour */
            lastUsedAt: string | null;
            revokedAt: string | null;
            /** @enum {string} */
            state: "active" | "expired" | "revoked";
        };
        DatasetsPage: {
            datasets: components["schemas"]["ListedDataset"][];
            nextCursor: string | null;
        };
        ListedDataset: {
            id: string;
            /** Format: uuid */
            ownerId: string;
            /** @description of the caller; null for an operator */
            role: ("owner" | "manager" | "writer" | "reader") | null;
            /** @description anybody who is signed in reads it */
            public: boolean;
            version: number;
            oldestVersion: number;
            createdAt: string;
            lastCompactedAt: string | null;
            deletedAt: string | null;
        };
        Dataset: {
            id: string;
            /** Format: uuid */
            ownerId: string;
            /** @description of the caller; null for an operator */
            role: ("owner" | "manager" | "writer" | "reader") | null;
            /** @description anybody who is signed in reads it */
            public: boolean;
            version: number;
            oldestVersion: number;
            createdAt: string;
            lastCompactedAt: string | null;
            deletedAt: string | null;
            files: number;
            rows: number;
            bytes: number;
            /** @description uploads whose rows are in them */
            fragments: number;
            tables: number;
            quarantinedFiles: number;
            /** @description when small files have waited long enough; null: none wait */
            nextMergeAt: string | null;
            /** @description all of them, with their defaults */
            settings: components["schemas"]["DatasetSettings"];
            /** @description those that differ from the defaults */
            changed: string[];
        };
        DatasetSettings: {
            /**
             * @description bytes of inputs that become one output; a file of three quarters of it is left alone
             * @default 134217728
             */
            targetFileBytes: number;
            /**
             * @description how long a file that was merged away or deleted can be read and restored
             * @default 604800
             */
            retentionSeconds: number;
            /**
             * @description new files that make a job due
             * @default 32
             */
            mergeMinFiles: number;
            /**
             * @description bytes of new files that make a job due
             * @default 33554432
             */
            mergeMinBytes: number;
            /**
             * @description age of the oldest new file that makes a job due
             * @default 900
             */
            mergeMaxAgeSeconds: number;
            /**
             * @description age at which data is deleted; null: never
             * @default null
             */
            deleteAfterDays: number | null;
        };
        OwnedDataset: {
            datasetId: string;
            /** Format: uuid */
            ownerId: string;
        };
        ConfigureDatasetRequest: {
            targetFileBytes?: number | null;
            retentionSeconds?: number | null;
            mergeMinFiles?: number | null;
            mergeMinBytes?: number | null;
            mergeMaxAgeSeconds?: number | null;
            deleteAfterDays?: (number | null) | null;
            /** @description whether anybody who is signed in may read it */
            public?: boolean;
        };
        ConfigureDatasetAnswer: {
            /** @description all of them, with their defaults */
            settings: components["schemas"]["DatasetSettings"];
            /** @description those that differ from the defaults */
            changed: string[];
            datasetId: string;
            public: boolean;
        };
        DeletionAnswer: {
            /** @constant */
            success: true;
            datasetId: string;
            /** @description null: there was no data */
            deletion: components["schemas"]["Deletion"] | null;
        };
        Deletion: {
            id: number;
            /** @description null: every table */
            table: string | null;
            periodTag: string | null;
            /** @enum {string} */
            reason: "request" | "retention";
            /** @description the first without the data */
            version: number;
            files: number;
            rows: number;
            bytes: number;
            deletedAt: string;
            restoredAt: string | null;
            /** @description the first with the data again */
            restoredVersion: number | null;
            restorableUntil: string | null;
        };
        TablesPage: {
            datasetId: string;
            version: number;
            tables: components["schemas"]["ListedTable"][];
            nextCursor: string | null;
        };
        ListedTable: {
            table: string;
            files: number;
            rows: number;
            bytes: number;
            /** @description uploads whose rows are in them */
            fragments: number;
            periods: number;
            schemas: number;
            newestUploadAt: string;
        };
        TableLinkRequest: {
            /** @description one period of the table; left out: all */
            period?: string;
            /** @description pins a version; left out: the newest at each reading */
            version?: number;
            /** @default 86400 */
            expiresInSeconds?: number;
        };
        TableLink: {
            /**
             * Format: uri
             * @description what an engine reads; whoever has it may
             */
            url: string;
            /**
             * Format: uuid
             * @description the key that signed it: revoking the key ends the link
             */
            keyId: string;
            expiresAt: string;
        };
        Table: {
            version: number;
            files: {
                count: number;
                rows: number;
                bytes: number;
                fragments: number;
                quarantined: number;
                /** @description merged files that were written with other settings than those of now */
                otherSettings: number;
                periods: number;
                newestUploadAt: string | null;
                lastMergedAt: string | null;
            };
            tiers: {
                tier: number;
                files: number;
                rows: number;
                bytes: number;
            }[];
            waiting: {
                periodTag: string;
                smallFiles: number;
                /** @description merged files enough for one of a higher tier */
                tierIsFull: boolean;
                /** @description that were never merged */
                newFiles: number;
                newBytes: number;
                oldestNewFileAt: string | null;
                due: boolean;
                /** @description any one that has what it needs makes a job due */
                rules: {
                    /** @enum {string} */
                    rule: "mergeMinFiles" | "mergeMinBytes" | "mergeMaxAgeSeconds";
                    have: number;
                    need: number;
                }[];
                /** @description by age, if no other rule is met before */
                dueAt: string | null;
            }[];
            openJob: {
                /** Format: uuid */
                id: string;
                /** @enum {string} */
                state: "queued" | "running";
            } | null;
            lastCompactedAt: string | null;
            datasetId: string;
            table: string;
            settings: components["schemas"]["TableSettings"];
            /** @description settings that differ from the defaults */
            changed: string[];
            schemas: {
                fingerprint: string;
                firstSeenAt: string;
                apartReason: string | null;
                files: number;
                /** @description of the first 5 schemas that a live file has; null: not read */
                columns: components["schemas"]["Column"][] | null;
                columnsOmitted: number;
            }[];
        };
        TableSettings: {
            /**
             * @description rows of each merged file are in this order; null: as they came
             * @default null
             */
            sortBy: components["schemas"]["SortColumn"][] | null;
            /**
             * @description of rows of one merge that are equal in these columns one stays; null: all stay
             * @default null
             */
            dedupeBy: string[] | null;
            /**
             * @description which of equal rows stays
             * @default last
             * @enum {string}
             */
            keep: "first" | "last";
            /**
             * @description compression of merged files; keep: as the uploads have it
             * @default keep
             * @enum {string}
             */
            codec: "keep" | "none" | "snappy" | "gzip" | "zstd";
            /**
             * @description files of different schemas: stay apart, are merged by column names, or are refused at upload
             * @default separate
             * @enum {string}
             */
            schema: "separate" | "union" | "reject";
            /**
             * @description rows of a row group
             * @default 131072
             */
            rowGroupRows: number;
            /**
             * @description bytes of a row group
             * @default 16777216
             */
            rowGroupBytes: number;
        };
        SortColumn: {
            /** @description the names from below the root, joined by dots */
            column: string;
            /** @default false */
            descending: boolean;
            /** @default false */
            nullsFirst: boolean;
        };
        Column: {
            /** @description as sortBy and dedupeBy take it */
            name: string;
            /** @description logical and physical type */
            type: string;
            nullable: boolean;
            repeated: boolean;
            sortable: boolean;
        };
        /** @description what is left out stays, null goes back to the default */
        TableSettingsChanges: {
            sortBy?: (components["schemas"]["SortColumn"][] | null) | null;
            dedupeBy?: (string[] | null) | null;
            keep?: ("first" | "last") | null;
            codec?: ("keep" | "none" | "snappy" | "gzip" | "zstd") | null;
            schema?: ("separate" | "union" | "reject") | null;
            rowGroupRows?: number | null;
            rowGroupBytes?: number | null;
        };
        ConfigureTableAnswer: {
            datasetId: string;
            table: string;
            /** @description all of them, with their defaults */
            settings: components["schemas"]["TableSettings"];
            /** @description those that differ from the defaults */
            changed: string[];
        };
        DeltaShares: {
            items: components["schemas"]["DeltaShare"][];
            nextPageToken?: string;
        };
        DeltaShare: {
            name: string;
            id: string;
        };
        DeltaShareAnswer: {
            share: components["schemas"]["DeltaShare"];
        };
        DeltaSchemas: {
            items: {
                /** @constant */
                name: "default";
                share: string;
            }[];
        };
        DeltaSharedTables: {
            items: components["schemas"]["DeltaSharedTable"][];
            nextPageToken?: string;
        };
        DeltaSharedTable: {
            name: string;
            /** @constant */
            schema: "default";
            share: string;
            shareId: string;
            id: string;
        };
        DeltaQueryRequest: {
            /** @description SQL; not used */
            predicateHints?: string[];
            /** @description a predicate; files that have no row for it by their statistics are left out */
            jsonPredicateHints?: string;
            /** @description no more files than have so many rows; without predicates */
            limitHint?: number;
            version?: number;
            /** @description the last version at or before it */
            timestamp?: string & (unknown & unknown);
        };
        VersionsPage: {
            datasetId: string;
            /** @description the newest */
            version: number;
            /** @description earlier ones can no longer be read */
            oldestVersion: number;
            versions: components["schemas"]["ListedVersion"][];
            nextCursor: string | null;
        };
        ListedVersion: {
            version: number;
            at: string | null;
            /** @enum {string} */
            change: "upload" | "merge" | "replacement" | "deletion" | "removal" | "other";
            jobId: string | null;
            filesAdded: number;
            rowsAdded: number;
            filesRemoved: number;
            rowsRemoved: number;
            tables: string[];
        };
        DeletionsPage: {
            datasetId: string;
            deletions: components["schemas"]["Deletion"][];
            nextCursor: string | null;
        };
        RestoreAnswer: {
            /** @constant */
            success: true;
            datasetId: string;
            deletion: components["schemas"]["Deletion"];
        };
        Receipt: {
            datasetId: string;
            table: string;
            periodTag: string;
            version: number;
            /** Format: uuid */
            jobId: string;
            mergedAt: string;
            settings: {
                [key: string]: unknown;
            };
            output: {
                /** Format: uuid */
                fileId: string;
                sha256: string;
                rows: number;
                bytes: number;
            };
            inputs: {
                /** Format: uuid */
                fileId: string;
                sha256: string;
                rows: number;
                bytes: number;
                level: number;
            }[];
            /** @description inputs that vacuum has taken */
            inputsMissing: number;
            rowsIn: number;
            rowsOut: number;
            duplicateRows: number;
        };
        WebhookRequest: {
            /** @description https, on the internet */
            url: string;
            /**
             * @default [
             *       "dataset.changed"
             *     ]
             */
            events?: ("dataset.changed" | "job.ended")[];
        };
        NewWebhook: {
            /** Format: uuid */
            id: string;
            url: string;
            events: ("dataset.changed" | "job.ended")[];
            createdAt: string;
            lastDeliveredAt: string | null;
            failingSince: string | null;
            lastError: string | null;
            /** @description nothing is sent since then: it answered 410, or failed for three days */
            disabledAt: string | null;
            /** @description messages that are not delivered yet */
            waiting: number;
            /** @description with which each message is signed; it is shown only now */
            secret: string;
        };
        WebhookList: {
            datasetId: string;
            webhooks: components["schemas"]["Webhook"][];
        };
        Webhook: {
            /** Format: uuid */
            id: string;
            url: string;
            events: ("dataset.changed" | "job.ended")[];
            createdAt: string;
            lastDeliveredAt: string | null;
            failingSince: string | null;
            lastError: string | null;
            /** @description nothing is sent since then: it answered 410, or failed for three days */
            disabledAt: string | null;
            /** @description messages that are not delivered yet */
            waiting: number;
        };
        DeleteWebhookAnswer: {
            /** @constant */
            success: true;
            datasetId: string;
            /** Format: uuid */
            webhookId: string;
        };
        GrantsPage: {
            datasetId: string;
            /** Format: uuid */
            ownerId: string;
            grants: components["schemas"]["Grant"][];
            nextCursor: string | null;
        };
        Grant: {
            /** Format: uuid */
            userId: string;
            /** @enum {string} */
            role: "reader" | "writer" | "manager";
            grantedAt: string;
            /** @description null: an operator */
            grantedBy: string | null;
        };
        GrantRequest: {
            /** @enum {string} */
            role: "reader" | "writer" | "manager";
        };
        GrantAnswer: {
            datasetId: string;
            /** Format: uuid */
            userId: string;
            role: ("reader" | "writer" | "manager") | null;
        };
        TransferRequest: {
            /** Format: uuid */
            userId: string;
        };
        AuditPage: {
            entries: components["schemas"]["AuditEntry"][];
            nextCursor: string | null;
        };
        AuditEntry: {
            id: number;
            at: string;
            /** @enum {string} */
            actor: "operator" | "user" | "key";
            /** @description who acted, also by a key; null for an operator */
            userId: string | null;
            keyId: string | null;
            /** @description from where */
            address: string | null;
            requestId: string | null;
            /** @description such as dataset.grant */
            action: string;
            /** @description whose dataset, key or account it is about */
            ownerId: string | null;
            datasetId: string | null;
            /** @description the id of what was changed, if it is not the dataset */
            target: string | null;
            before: unknown;
            after: unknown;
        };
        UserDataAnswer: {
            /** @constant */
            success: true;
            /** Format: uuid */
            userId: string;
            /** @description deleted by this call */
            datasets: number;
            /** @description call again: some datasets are left */
            more: boolean;
        };
        Admission: {
            /** @description jobs that run at the same time */
            maxRunningJobs: number;
            /** @description of these, jobs of one owner */
            maxRunningJobsOfOwner: number;
            /** @description seconds of waiting that make up for one rank of priority */
            ageingSeconds: number;
        };
        /** @description what is left out stays */
        AdmissionRequest: {
            /** @description jobs that run at the same time */
            maxRunningJobs?: number;
            /** @description of these, jobs of one owner */
            maxRunningJobsOfOwner?: number;
            /** @description seconds of waiting that make up for one rank of priority */
            ageingSeconds?: number;
        };
        Retention: {
            /** @description ended jobs with their merges */
            jobsSeconds: number;
            /** @description dead letters that are settled */
            lettersSeconds: number;
            /** @description dead jobs, letters and messages that nobody dealt with */
            unsettledSeconds: number;
            /** @description messages that were sent */
            outboxSeconds: number;
            /** @description entries of the audit, and keys that are over */
            auditSeconds: number;
        };
        /** @description what is left out stays */
        RetentionRequest: {
            /** @description ended jobs with their merges */
            jobsSeconds?: number;
            /** @description dead letters that are settled */
            lettersSeconds?: number;
            /** @description dead jobs, letters and messages that nobody dealt with */
            unsettledSeconds?: number;
            /** @description messages that were sent */
            outboxSeconds?: number;
            /** @description entries of the audit, and keys that are over */
            auditSeconds?: number;
        };
        VacuumPage: {
            items: {
                /**
                 * @description superseded: merged away, and its retention is over; refused: nothing ever named it, or nothing does any more; incomplete_upload: an upload in parts whose attempt is over; orphan: older than a day, and no row names it
                 * @enum {string}
                 */
                reason: "superseded" | "refused" | "incomplete_upload" | "orphan";
                /**
                 * @description forget_file: the file goes, its object holds others that stay
                 * @enum {string}
                 */
                action: "delete_object" | "forget_file" | "abort_upload";
                r2Key: string;
                /** @description null where it is not known: parts are not told, or it is gone */
                bytes: number | null;
                since: string;
                datasetId?: string;
                /** Format: uuid */
                fileId?: string;
                /** Format: uuid */
                jobId?: string;
                attempt?: number;
            }[];
            unreadable?: components["schemas"]["UnreadableRow"][];
            /** @description of the objects of this page that would be deleted */
            bytes: number;
            /** @description go on while it is not null, also after an empty page */
            nextCursor: string | null;
        };
        PauseRequest: {
            by: string;
            reason?: string;
        };
        PauseAnswer: {
            /** @constant */
            success: true;
            paused: boolean;
        };
        AcceptOrphansRequest: {
            /** @description the number that the last complete round found */
            orphans: number;
            by: string;
            /**
             * @description also let the sweep have the objects that adoption could not place
             * @default false
             */
            releaseKept?: boolean;
        };
        AcceptOrphansAnswer: {
            /** @constant */
            success: true;
            orphans: number;
            released: number;
        };
        AcceptInstallationRequest: {
            /**
             * @description the one that GET /api/jobs/status shows
             * @enum {string}
             */
            problem: "unclaimed_bucket" | "missing_stamp" | "foreign_bucket" | "catalog_restored";
            by: string;
        };
        AcceptInstallationAnswer: {
            /** @constant */
            success: true;
            /** Format: uuid */
            installationId: string;
        };
        AdoptRequest: {
            /** @description of the answer before; without one a new scan begins */
            cursor?: string;
            /**
             * @description tell what would be done, and change nothing
             * @default false
             */
            dryRun?: boolean;
        };
        AdoptAnswer: {
            /** @constant */
            success: true;
            dryRun: boolean;
            scanned?: {
                objects: number;
                /** @description objects that no row names */
                unnamed: number;
            };
            /** @description what was done in one dataset; up to a hundred objects are named */
            dataset?: {
                datasetId: string;
                /** @description live files whose object is gone, and nothing has taken its place */
                missing: number;
                counts: {
                    [key: string]: {
                        objects: number;
                        rows: number;
                    };
                };
                items: {
                    r2Key: string;
                    offset: number;
                    table: string;
                    periodTag: string;
                    rows: number | null;
                    /** @enum {string} */
                    judgment: "adopt" | "heal" | "held" | "entangled" | "unclear" | "foreign_owner" | "no_metadata" | "no_lineage" | "lineage_mismatch" | "not_parquet" | "too_large";
                }[];
            };
            /** @description call again with it until it is null */
            nextCursor: string | null;
        };
        /** @description what is left out stays, null goes back to the default */
        LimitsRequest: {
            /**
             * Format: uuid
             * @description left out: every owner without limits of their own
             */
            owner?: string;
            datasets?: number | null;
            liveFiles?: number | null;
            liveBytes?: number | null;
            jobsByHandPerHour?: number | null;
            eventStreams?: number | null;
            openUploads?: number | null;
        };
        Health: {
            /**
             * @description degraded: requests are answered, but nothing is merged, since the cron does not run
             * @enum {string}
             */
            status: "ok" | "degraded" | "unavailable";
            checks: {
                /** @enum {string} */
                configuration: "ok" | "failed";
                /** @enum {string} */
                database?: "ok" | "failed";
                /** @enum {string} */
                storage?: "ok" | "failed";
                /** @enum {string} */
                cron?: "ok" | "late";
            };
            cron?: {
                lastRunAt: string;
                ageSeconds: number;
            };
            /**
             * Format: date-time
             * @description an answer is kept for some seconds
             */
            checkedAt: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
