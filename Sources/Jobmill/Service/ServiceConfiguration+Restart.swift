extension ServiceConfiguration {
    /// The keys of settings that another configuration changes and that hold from the next start on.
    func settingsThatNeedARestart(for new: ServiceConfiguration) -> [String] {
        let isChanged = [
            ("listen", listen != new.listen), ("data", dataFolder != new.dataFolder),
            // A number is applied at once.
            ("workers", followsCPUs != new.followsCPUs && new.followsCPUs), ("files", fileRoots != new.fileRoots),
            ("token_file", token != new.token), ("grace", gracePeriod != new.gracePeriod),
            ("default_timeout", defaultTimeout != new.defaultTimeout),
            ("max_body", maximumBodyBytes != new.maximumBodyBytes),
            ("allow_private_webhooks", allowsPrivateWebhooks != new.allowsPrivateWebhooks),
        ]
        return isChanged.filter(\.1).map(\.0)
    }
}
