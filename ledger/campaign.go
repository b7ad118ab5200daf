package ledger

const campaignPrefix = "campaign/"

// CampaignID is the ID of the entry that funds a campaign.
func CampaignID(id string) string { return campaignPrefix + id }
